#!/bin/sh
# netstack sim --swarm 1 --seed=64352 --off=superframes --flows-off=0x1
# faults: loss dup rate inflate starve options
# phases: faults until 6408 ms, all transfers end by 425815 ms, the clock starts at 100578177266466905 ns
# events: partition 1224..1224 ms, host -1 vanishes at 2854 ms, time jumps by 0 ms, mtu 1281, backlog 32
# up   0: delay 802 us, jitter 0 us, rate 56170219 bit/s, queue 100, loss 85075, burst 0/500000, reorder 0 by 6530 us, dup 48293, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 766 us, jitter 0 us, rate 315811 bit/s, queue 58, loss 0, burst 0/86968, reorder 0 by 133 us, dup 1000, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 138, max_tcp 64, max_pkt 25, max_time_wait 64 tcp.rmem_max=3245273 tcp.wmem=5806 tcp.sack=0 tcp.window_scaling=0 tcp.initcwnd=3 tcp.delack=45 tcp.moderate_rcvbuf=0 tcp.tlp=0 tcp.awake=0
# up   1: delay 854 us, jitter 0 us, rate 1489304 bit/s, queue 512, loss 8295, burst 0/300838, reorder 0 by 1027 us, dup 82573, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 703 us, jitter 0 us, rate 2410859 bit/s, queue 472, loss 0, burst 0/177212, reorder 0 by 958 us, dup 157005, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 37, max_tcp 6, max_pkt 31, max_time_wait 6 tcp.rmem=2304 tcp.quickack=15 tcp.reordering=11 tcp.cc=0 tcp.syn_linear_timeouts=2 tcp.moderate_rcvbuf=0 tcp.ecn=0 tcp.rack=0 tcp.tlp=0
# up   2: delay 704 us, jitter 0 us, rate 14534403 bit/s, queue 9, loss 101282, burst 0/159956, reorder 0 by 14128 us, dup 139422, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 2: delay 1074 us, jitter 0 us, rate 557414 bit/s, queue 53, loss 0, burst 0/97702, reorder 0 by 1839 us, dup 15724, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 2: pages 25, max_tcp 6, max_pkt 18, max_time_wait 6 tcp.rmem=23768 tcp.wmem_max=5266 tcp.timestamps=0 tcp.sack=0 tcp.initcwnd=20 tcp.quickack=0 tcp.min_snd_mss=59 tcp.cc=2 tcp.moderate_rcvbuf=0 tcp.pacing=1 tcp.ecn=0
# flow 1: host 2 to 1, IPv4, at 0 ms
#   client writes 20465 by 1093, reads by 63, aborts at 14648, NODELAY, linger 0, bbr
#   server writes 0 by 1, reads by 512 every 155 us, keeps the connection, bbr
# flow 2: host 1 to 2, IPv6, at 0 ms
#   client writes 200000 by 666 every 1 us, reads by 40, shuts down, closes at end of file, EOR
#   server writes 200000 by 286, reads by 6117 every 48747 us, shuts down, closes at end of file, EOR, bbr
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=64352 --off=superframes --flows-off=0x1
