import { STANDBY_SUFFIX } from "../site/standby.ts";
import { readRecipients, writeRecipients } from "./recipients.ts";

/** The two hosts of an environment take each other's name in the list; both can open the vault before and after. */
export async function exchangeRecipients(siteDirectory: string, environment: string): Promise<void> {
  const recipients = await readRecipients(siteDirectory);
  const [host, standby] = [recipients.hosts[environment], recipients.hosts[`${environment}${STANDBY_SUFFIX}`]];
  const { [environment]: _host, [`${environment}${STANDBY_SUFFIX}`]: _standby, ...others } = recipients.hosts;
  const hosts = {
    ...others,
    ...(standby === undefined ? {} : { [environment]: standby }),
    ...(host === undefined ? {} : { [`${environment}${STANDBY_SUFFIX}`]: host }),
  };
  await writeRecipients(siteDirectory, { ...recipients, hosts });
}
