/**
 * A program for a container's network, in Python and without a module beside its own: closes the established connections to a local port
 * that come from some IPv4 peers, so many a second. `PORT PACE PEER…`. It asks the kernel itself (sock_diag, as `ss -K` does), which resets
 * both ends. A connection that has ended meanwhile is as good as closed; a kernel without CONFIG_INET_DIAG_DESTROY refuses (EOPNOTSUPP).
 */
export const CUT_CONNECTIONS = `
import errno, os, socket, struct, sys, time

PORT, PACE = int(sys.argv[1]), int(sys.argv[2])
PEERS = {socket.inet_aton(peer) for peer in sys.argv[3:]}
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 4, 20, 21
NLMSG_ERROR, NLMSG_DONE, NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 2, 3, 0x1, 0x4, 0x300
ESTABLISHED = 1 << 1

kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
kernel.settimeout(10)
kernel.bind((0, 0))

def ask(kind, flags, family, ends):
    body = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, ESTABLISHED) + ends
    kernel.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, 1, 0) + body)
    answers = []
    while True:
        data = kernel.recv(1 << 18)
        while data:
            size, kind = struct.unpack_from("=IH", data)
            if kind == NLMSG_DONE:
                return answers
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from("=i", data, 16)[0]
                if code not in (0, errno.ENOENT):
                    raise OSError(code, os.strerror(code))
                return answers
            answers.append(data[16:size])
            data = data[(size + 3) & ~3:]

# Both ports, both addresses in 16 bytes each, interface and cookie: what the kernel knows a connection by.
def is_wanted(ends):
    peer = ends[32:36] if ends[20:32] == bytes(10) + b"\\xff\\xff" else ends[20:24]
    return struct.unpack_from("!H", ends)[0] == PORT and peer in PEERS

try:
    families = (socket.AF_INET, socket.AF_INET6)
    found = [(family, answer[4:52]) for family in families for answer in ask(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, bytes(48))]
    wanted = [(family, ends) for family, ends in found if is_wanted(ends)]
    began = time.monotonic()
    for place, (family, ends) in enumerate(wanted):
        time.sleep(max(0, began + place / PACE - time.monotonic()))
        ask(SOCK_DESTROY, NLM_F_ACK, family, ends)
        if (place + 1) % PACE == 0 or place + 1 == len(wanted):
            print("cut %d" % (place + 1), flush=True)
except OSError as error:
    sys.exit("the kernel does not close connections: %s" % error)
`;

/** How many the program has closed so far, by a line that it prints; undefined for any other. */
export function cutSoFar(line: string): number | undefined {
  const match = /^cut (\d+)$/.exec(line);
  return match === null ? undefined : Number(match[1]);
}
