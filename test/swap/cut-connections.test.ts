import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { CUT_CONNECTIONS, cutSoFar } from "../../src/swap/cut-connections.ts";

/** Thirty connections from one peer and one from another, in a network that holds nothing else; says which of them were reset, over time. */
const SCENE = `
import select, socket, subprocess, sys, time
server = socket.socket(socket.AF_INET6)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
server.bind(("::", 8072))
server.listen(50)
def connect(source):
    made = socket.socket()
    made.bind((source, 0))
    made.connect(("10.9.9.2", 8072))
    return made, server.accept()
peers = [connect("10.9.9.1") for _ in range(30)]
other = connect("10.9.9.2")
def reset(ends):
    return len(select.select([end for end, _ in ends], [], [], 0)[0])
program = subprocess.Popen([sys.executable, "-I", "-S", "-c", sys.argv[1], "8072", "20", "10.9.9.1"], stdout=subprocess.PIPE)
first = program.stdout.readline()
print("after 20:", reset(peers) < 30)
rest = program.stdout.read()
print("said:", (first + rest).decode().split("\\n"))
print("ended:", program.wait(), reset(peers), reset([other]))
`;

const own = (command: string): ReturnType<typeof spawnSync> =>
  spawnSync(
    "unshare",
    ["--net", "sh", "-c", `ip link set lo up && ip addr add 10.9.9.1/32 dev lo && ip addr add 10.9.9.2/32 dev lo && ${command}`, SCENE, CUT_CONNECTIONS],
    {
      encoding: "utf8",
    },
  );

describe("the program that closes connections", () => {
  // A network of its own takes root, and its tools.
  it.skipIf(own("python3 -V").status !== 0)("closes those of the port that come from the peers, so many a second, and no other", () => {
    expect(own('python3 -c "$0" "$1"').stdout).toBe("after 20: True\nsaid: ['cut 20', 'cut 30', '']\nended: 0 30 0\n");
  });

  it("tells how many it has closed", () => {
    expect([cutSoFar("cut 40"), cutSoFar("the kernel does not close connections: Operation not supported")]).toEqual([40, undefined]);
  });
});
