/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of --help and help TOPIC. The overview fits a terminal of 40 lines (tests/cli checks it). */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "util.h"

static const char overview[] =
    "netstack " NST_VERSION ", a TCP/IP stack in user space\n"
    "\n"
    "  netstack --tun IFACE   [options]   run the stack on a TUN device\n"
    "  netstack --replay FILE [options]   feed a capture to the stack under a virtual clock\n"
    "  netstack drill FILE|DIR...         run packetdrill scripts on the stack, under a virtual clock\n"
    "  netstack link TUN TUN SPEC         a path between two devices: delay, rate, loss, queues\n"
    "  netstack sim [KEY=VALUE|FILE]...   networks in virtual time       netstack demo   one of them\n"
    "  netstack help [TOPIC]              topics: tun replay drill link sim demo set exit\n"
    "\n"
    "Common\n"
    "  -f, --filter EXPR      only input that matches a libpcap expression\n"
    "  -q, --quiet            results only       -v, --verbose   more, repeatable\n"
    "      --json             JSON Lines on stdout\n"
    "      --color WHEN       auto, always, never (NO_COLOR is honoured)\n"
    "      --seed N           all randomness of the run; always printed\n"
    "  -V, --version          -h, --help\n"
    "Stack\n"
    "      --addr A/P         address of the stack, repeatable (10.0.0.2/24, fd00::2/64, fe80::2/64)\n"
    "      --cc NAME          congestion control: reno, cubic (default), bbr\n"
    "      --mem SIZE         memory of the whole stack, for example 64M;  --mtu N   (1500)\n"
    "      --set KEY=VALUE    'netstack help set' lists all, with RFC\n"
    "Record\n"
    "  -w, --record FILE      pcapng with decisions as packet comments; .pcap: classic; -: stdout\n"
    "Live (-i IFACE is --tun IFACE)\n"
    "      --peer A           address of the host's side (10.0.0.1, fd00::1)\n"
    "      --app NAME[:PORT]  echo, discard, chargen, http; repeatable (all)\n"
    "      --impair SPEC      a bad link in front of the device, for example 10mbit,20ms,loss=1%\n"
    "      --no-config        leave addresses, routes and MTU of the host alone\n"
    "      --no-offload       no superframes;  --uring, --no-uring;  --queues N  more threads\n"
    "      --busy-poll USEC   look so long for a packet that pays to wait for (200)\n"
    "      --connect HOST:PORT  stdin and stdout through the stack's TCP\n"
    "      --send N           send N bytes of a pattern, not stdin;  --recv N  close after N bytes\n"
    "      --ping HOST        send echo requests\n"
    "      --ready-fd N       a line to descriptor N once the stack answers;  --duration T   stop after T\n"
    "Sim: --plot[=tty|svg], --csv FILE, --interface N, --sweep FILE, --cells A-B, -o, --output FILE\n"
    "     --swarm N, --jobs J, --off LIST, --flows-off MASK, --shift K, --coverage, --describe, --out DIR\n"
    "Replay (-r FILE is --replay FILE)\n"
    "      --as WHO           server, client or an address: the side that the stack plays\n"
    "      --verify[=HOW]     compare replies with the recorded ones: semantic, exact\n"
    "      --until T          stop at capture time T        --speed max|real|Nx\n";

static const char topic_tun[] =
    "netstack --tun IFACE runs a host behind a TUN device: addresses 10.0.0.2, fd00::2 and fe80::2, services\n"
    "echo (7 tcp and udp, 8000 udp), discard (9), chargen (19) and http (80).  The device is created, or\n"
    "attached to when it exists; the host's side gets 10.0.0.1/24 and fd00::1/64.\n"
    "\n"
    "Without root, with a device made once:\n"
    "  sudo ip tuntap add tun0 mode tun user $USER && sudo ip addr add 10.0.0.1/24 dev tun0\n"
    "  sudo ip addr add fd00::1/64 dev tun0 && sudo ip link set tun0 up\n"
    "  netstack --tun tun0\n"
    "Without any rights, in a network of its own:\n"
    "  unshare -Urn netstack --tun tun0\n"
    "\n"
    "Ctrl-C prints statistics and ends; kill -USR1 prints them and goes on.\n"
    "\n"
    "--connect HOST:PORT is a netcat through the stack: stdin is sent, what arrives goes to stdout, text\n"
    "to stderr.  --send N sends N bytes of a pattern (RFC 864) instead of stdin and then closes that\n"
    "direction; --recv N closes after N bytes, and is wrong (exit 1) when the peer closes before.\n"
    "--record writes both directions; each packet sent says why in its comment:\n"
    "  sudo netstack --tun tun0 -w - | wireshark -k -i -\n";

static const char topic_replay[] =
    "netstack --replay FILE reads a pcap or pcapng capture.  The stack plays one of the recorded hosts, the\n"
    "capture provides the packets of the others at their recorded times, on a virtual clock.  Each packet\n"
    "and each change of state is printed; the replies are compared with the recorded ones.\n"
    "\n"
    "--as server|client|ADDRESS   which side; by default the one whose SYN is answered, else the\n"
    "                             destination of the first packet\n"
    "--verify[=semantic|exact]    semantic: flags, sequence range, acknowledgement, SACK, payload; a reply\n"
    "                             may be split, merged or delayed within the rules for ACKs.  exact: all\n"
    "--until T                    ends the replay at capture time T (1.5s, 200ms)\n"
    "--speed max|real|Nx          max does not sleep\n"
    "-w OUT                       our side's view, with the reason in the comment of each packet sent\n"
    "\n"
    "The same input, options and seed give the same trace hash on every machine.\n";

static const char topic_drill[] =
    "netstack drill FILE|DIR...  runs packetdrill scripts (of a folder: all *.pkt below) on a stack of their own\n"
    "each, in process and under a virtual clock: no root, no device, and always the same result.  The whole\n"
    "script is checked before its first packet.  `commands` are understood as settings, never run.\n"
    "\n"
    "--NAME=VALUE        an option of the language: ip_version, mtu, tolerance_usecs, ...; wins over the script's\n"
    "-D NAME=VALUE       a definition\n"
    "--profile NAME      linux (default), rfc, freebsd: settings that the scripts expect\n"
    "--strict-end        packets that are left at the end of a script are an error\n"
    "--jobs N            as many processes; the results are the same\n"
    "--junit FILE        results as JUnit XML          --json   as JSON Lines\n"
    "--from FILE         write a TCP connection of a capture as a script that passes (--conn N, --as server|client)\n"
    "--mutate            change each expected value of each script: every change must be noticed\n"
    "-v                  names of what passed          -vv      each event as it happens\n"
    "\n"
    "Exit 0: all passed, 1: some failed, 4: some are no scripts that can be run.\n";

static const char topic_link[] =
    "netstack link A B SPEC [BACK]  emulates a path between two TUN devices, in real time: between two kernels,\n"
    "or a kernel and this stack.  What is written to A comes out of B after SPEC, and back after BACK (SPEC).\n"
    "--impair SPEC [--impair BACK]  the same between the stack of --tun and its device.\n"
    "\n"
    "  sudo ip netns add left; sudo ip netns add right\n"
    "  sudo netstack link tunA tunB 20mbit,25ms,loss=0.1% &\n"
    "  sudo ip link set tunA netns left; sudo ip -n left addr add 10.0.0.1/24 dev tunA\n"
    "  sudo ip -n left link set tunA up                        (tunB, right and 10.0.0.2 likewise)\n"
    "  sudo ip netns exec left ping 10.0.0.2\n"
    "\n"
    "SPEC is a list with commas; each direction is one chain, in this order:\n"
    "  down=2s-3s+10s-12s  nothing passes        lose=3+5-7     exactly these packets, the first is 1\n"
    "  loss=1%  (drop=)    at random             burst=1%:20%   Gilbert-Elliott: to bad, to good\n"
    "  ce=1%               CE marks (ECN)        corrupt=1%     one bit        truncate=1%  cut short\n"
    "  mtu=1400@5s         black hole for more   dup=1%         twice\n"
    "  20mbit  (rate=)     queue=100, 64kb or 50ms (default: rate x 2 x delay, at least 20 packets)\n"
    "                      aqm=tail, codel (target=5ms,interval=100ms) or red; ecn marks instead of dropping\n"
    "  trace=FILE          rate of a mahimahi trace\n"
    "  25ms  (delay=)      one way               jitter=5ms     in addition, in order\n"
    "  reorder=1%:5ms      these are overtaken\n"
    "Shares are 1%, 0.01 or 250ppm; times ns, us, ms, s, min; rates bit, kbit, mbit, gbit.\n";

static const char topic_sim[] =
    "netstack sim [KEY=VALUE|FILE]...  runs whole stacks over a network in virtual time.  A FILE has a line\n"
    "KEY = VALUE per key, with # comments.  The same input and seed give the same run on every machine.\n"
    "\n"
    "  topology=pair      pair, dumbbell, parking, incast or chain      hops=2  of parking and chain\n"
    "  link=20mbit,25ms   the bottleneck, both ways (netstack help link)\n"
    "  back=SPEC          the way back, when it differs     access=SPEC   between hosts and routers\n"
    "  flows=1            transfers              cc=cubic   or a list, taken in turn: reno,cubic,bbr\n"
    "  time=10s  bytes=N  it ends then, or when each flow has sent N bytes      start=T  between flows\n"
    "  mtu=1500           chain: a list, by hop; 1500+1400@5s: from then on     ip=4 or 6   seed=1\n"
    "  set=tcp.KEY=VALUE  as --set                          skew=PPM   list, of the hosts' clocks\n"
    "  offload=csum       off, on, superframes                sample=T   between samples of the state\n"
    "  lend=off           on: senders lend their bytes instead of copying them\n"
    "  events=2G  memory=1G  limits: events in all, bytes of packets under way\n"
    "\n"
    "--plot[=tty|svg]  time and sequence numbers of flow 0, congestion windows, round trip times\n"
    "--csv FILE         the samples             --json   results as JSON Lines\n"
    "-w FILE            what the interface of host --interface N (0) sees, with reasons\n"
    "--sweep FILE       a scenario in which {a|b|c} are alternatives: one line of JSON for each combination;\n"
    "                   -o FILE collects and goes on where it ended, --cells A-B is a part of it\n"
    "--swarm N          N random scenarios in which every packet is judged (netstack sim --swarm 0 --help)\n"
    "\n"
    "  netstack sim link=20mbit,25ms,loss=0.1% cc=reno,cubic,bbr flows=3 time=30s --plot\n"
    "  netstack sim topology=incast link=1gbit,20us,queue=64kb flows=32 bytes=256k\n";

static const char topic_demo[] =
    "netstack demo  sends 2.5 MB through two whole stacks and a lossy link in virtual time: no rights, no\n"
    "network, less than a second.  It draws the transfer, does it all again, and both runs must be the same.\n"
    "\n"
    "-o NAME            NAME.html, a page for your browser, and NAME.pcapng, a capture in which each packet\n"
    "                   says why it was sent (netstack-demo)\n"
    "--seed N           another run\n"
    "\n"
    "The same for networks of your own: netstack help sim\n";

static const char topic_exit[] =
    "  0  done\n"
    "  1  it ran, but what was asked is false: replay differs, connection refused, no answer\n"
    "  2  wrong command line\n"
    "  3  environment: permission, device, missing file\n"
    "  4  bad input data: not a capture, unknown link type\n"
    " 70  internal assertion; prints how to reproduce it\n"
    "130  interrupted (in --tun, Ctrl-C is an ordinary end: 0)\n";

static int print_settings(void)
{
    const nst_setting_info *info;

    printf("Settings of the stack: --set KEY=VALUE\n\n");
    for (unsigned i = 0; (info = nst_setting_get_info(i)) != NULL; i++) {
        char range[64];

        snprintf(range, sizeof range, "%lld..%lld%s%s", (long long)info->min, (long long)info->max,
                 info->unit[0] != '\0' ? " " : "", info->unit);
        printf("%-24s %9lld  %-26s %s%s%s%s\n", info->name, (long long)info->def, range, info->help,
               info->source[0] != '\0' ? " (" : "", info->source, info->source[0] != '\0' ? ")" : "");
    }
    return EXIT_OK;
}

int help_print(const char *topic)
{
    static const char *const names[] = {"tun", "replay", "drill", "link", "sim", "demo", "exit", "set", NULL};
    static const char *const texts[] = {topic_tun, topic_replay, topic_drill, topic_link, topic_sim, topic_demo, topic_exit};
    const char *near;

    if (topic == NULL) {
        fputs(overview, stdout);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(topic, names[i]) == 0) {
            fputs(texts[i], stdout);
            return EXIT_OK;
        }
    }
    if (strcmp(topic, "set") == 0)
        return print_settings();
    near = nearest_match(topic, names);
    error_line("help %s: unknown topic; %s%s%sone of: tun replay drill link sim demo set exit", topic,
               near != NULL ? "did you mean " : "", near != NULL ? near : "", near != NULL ? "? " : "");
    return EXIT_USAGE;
}
