#!/bin/sh
# netstack sim --swarm 1 --seed=22308 --off=jump,superframes --flows-off=0x2f2
# faults: jitter starve options late
# phases: faults until 1332 ms, all transfers end by 582094 ms, the clock starts at 0 ns
# events: partition 804..804 ms, host -1 vanishes at 244 ms, time jumps by 0 ms, mtu 1500, backlog 32
# up   0: delay 2267 us, jitter 19 us, rate 0 bit/s, queue 247, loss 0, burst 0/412766, reorder 0 by 100 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 1645 us, jitter 224 us, rate 0 bit/s, queue 108, loss 0, burst 0/216596, reorder 0 by 273479 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 49, max_tcp 7, max_pkt 12, max_time_wait 7 tcp.rmem=226226 tcp.rmem_max=6550931 tcp.wmem_max=48587 tcp.window_scaling=0 tcp.quickack=9 tcp.time_wait=43209 tcp.syncookies=0 tcp.ecn=1
# up   1: delay 2999 us, jitter 3378 us, rate 0 bit/s, queue 16, loss 0, burst 0/281714, reorder 0 by 500000 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 2115 us, jitter 35376 us, rate 0 bit/s, queue 11, loss 0, burst 0/189697, reorder 0 by 232283 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 400, max_tcp 64, max_pkt 4, max_time_wait 64 tcp.rmem=23976 tcp.timestamps=0 tcp.sack=0 tcp.min_snd_mss=59 tcp.reordering=1 tcp.cc=0 tcp.moderate_rcvbuf=0 tcp.pacing=1 tcp.rack=0 tcp.frto=0
# flow 0: host 1 to 0, IPv6, at 0 ms
#   client writes 8946 by 106 every 76512 us, reads by 476 after 64 ms, keeps the connection, NODELAY
#   server writes 1040 by 411 every 451 us, reads by 454 after 128 ms, keeps the connection, MORE, NODELAY, cubic
# flow 2: host 1 to 0, IPv4, at 0 ms
#   client writes 114005 by 380 every 14 us, reads by 378 every 10009 us after 865 ms, shuts down, closes at end of file, EOR
#   server writes 113523 by 22, reads by 488, stops where the window is shut, shuts down, closes at end of file, cubic
# flow 3: host 0 to 1, IPv6, at 0 ms, simultaneous open
#   client writes 200000 by 2051 every 11291 us, reads by 60 after 1416 ms, aborts at 9061, bbr
#   server writes 100002 by 14134, reads by 1827, stops where the window is shut, closes when written, EOR, NODELAY
# flow 8: host 1 to 0, IPv6, at 0 ms, simultaneous open
#   client writes 961 by 1481, reads by 2, aborts at 891, reno
#   server writes 440 by 191 every 206 us, reads by 137 after 86 ms, closes when written, MORE, reno
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=22308 --off=jump,superframes --flows-off=0x2f2
