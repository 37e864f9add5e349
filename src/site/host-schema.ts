import * as z from "zod";
import { accountName, byteSize, hostAddress, port, publishAddress } from "./site-values.ts";

const hostPlace = {
  address: hostAddress.describe("IP address or name that SSH connects to."),
  port: port.describe("SSH port."),
};

const jump = z
  .strictObject({ address: hostPlace.address, port: hostPlace.port.default(22), user: accountName.describe("Account on the jump host.") })
  .describe("Host that SSH goes through, when there is no direct way.");

export const host = {
  ...hostPlace,
  admin: accountName.describe("Account with sudo, used to set the host up and for nothing else."),
  deploy: accountName.describe("Account that deploys; its key can start the agent's verbs and nothing else."),
  jump: jump.optional(),
  listen: publishAddress.describe("IPv4 address of the host that serves ports 80 and 443; 0.0.0.0 for all."),
  memory: byteSize.describe("Memory of the host, such as 16GiB."),
  cpus: z.int().min(1).max(256).describe("Processors of the host."),
};

export const dataDisk = z
  .string()
  .max(200)
  .regex(/^\/dev\/[A-Za-z0-9][A-Za-z0-9_.:-]*(\/[A-Za-z0-9][A-Za-z0-9_.:-]*)*$/, "must be a device such as /dev/sdb")
  .describe("An empty disk for the data. It is formatted (XFS) the first time; a disk that holds anything is refused.");

export const standby = z
  .strictObject({
    address: publishAddress.describe("IPv4 address of the second host, by which the two know each other."),
    port: port.optional().describe("SSH port; the host's unless said."),
    admin: accountName.optional().describe("Account with sudo; the host's unless said."),
    deploy: accountName.optional().describe("Account that deploys; the host's unless said."),
    jump: jump.optional(),
    listen: publishAddress.optional().describe("IPv4 address that it serves on once it has taken over; 0.0.0.0 (all) unless said."),
    dataDisk: dataDisk.optional(),
  })
  .describe(
    "A second host of the same size, best on other hardware, that follows the database and its files and can take over. Needs backup.offsite. Off by default.",
  );
