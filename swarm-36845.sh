#!/bin/sh
# netstack sim --swarm 1 --seed=36845 --shift=16
# faults: loss jitter corrupt rate strip_ts shrink udp hole late
# phases: faults until 3872 ms, all transfers end by 385747 ms, the clock starts at 0 ns
# events: partition 3562..3562 ms, host -1 vanishes at 10 ms, time jumps by 0 ms, mtu 1281, backlog 32
# hole: text of host 2 after 12 packets is lost for 906 ms
# up   0: delay 54 us, jitter 100000 us, rate 304467 bit/s, queue 8, loss 40492, burst 0/115641, reorder 0 by 6749 us, dup 0, corrupt 500, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 32 us, jitter 92328 us, rate 68746329 bit/s, queue 512, loss 0, burst 0/379884, reorder 0 by 3684 us, dup 0, corrupt 4230, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 11 tcp.syncookies=0
# up   1: delay 32 us, jitter 479 us, rate 7137717 bit/s, queue 23, loss 251699, burst 0/500000, reorder 0 by 18801 us, dup 0, corrupt 6379, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 29 us, jitter 8070 us, rate 26598964 bit/s, queue 23, loss 0, burst 0/358757, reorder 0 by 43208 us, dup 0, corrupt 5875, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 25 tcp.syncookies=0
# up   2: delay 29 us, jitter 72833 us, rate 8820144 bit/s, queue 252, loss 1000, burst 0/370363, reorder 0 by 273566 us, dup 0, corrupt 1912, truncate 0, ce 0 (per million), mtu 0
# down 2: delay 36 us, jitter 97 us, rate 1242430 bit/s, queue 512, loss 0, burst 0/195632, reorder 0 by 50441 us, dup 0, corrupt 1226, truncate 0, ce 0 (per million), mtu 0
# host 2: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 14 tcp.syncookies=0
# up   3: delay 31 us, jitter 8493 us, rate 219717 bit/s, queue 229, loss 211221, burst 0/500000, reorder 0 by 33254 us, dup 0, corrupt 28971, truncate 0, ce 0 (per million), mtu 0
# down 3: delay 40 us, jitter 273 us, rate 499151 bit/s, queue 8, loss 0, burst 0/280141, reorder 0 by 35922 us, dup 0, corrupt 40319, truncate 0, ce 0 (per million), mtu 0
# host 3: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 6 tcp.syncookies=0
# flow 0: host 1 to 0, IPv4, at 0 ms, Fast Open
#   client writes 100000 by 254, reads by 7337 after 907 ms, stops where the window is shut, shuts down, closes at end of file, bbr
#   server writes 100000 by 29879 every 3021 us, reads by 516 after 20000 ms, stops where the window is shut, shuts down, closes at end of file, urgent, cubic
# flow 1: host 2 to 1, IPv6, at 0 ms
#   client writes 1 by 18, reads by 23 after 4016 ms, keeps the connection, cubic
#   server writes 22750 by 91 every 13746 us, reads by 1055 after 75 ms, stops where the window is shut, shuts down, closes at end of file, MORE, EOR
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=36845 --shift=16
