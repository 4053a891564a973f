#!/bin/sh
# netstack sim --swarm 1 --seed=61440 --flows-off=0xe00
# faults: reorder dup truncate mss shrink resplit inject options udp late churn
# phases: faults until 1000 ms, all transfers end by 363605 ms, the clock starts at 69318035 ns
# events: partition 457..457 ms, host -1 vanishes at 277 ms, time jumps by 0 ms, mtu 1500, backlog 32
# up   0: delay 103 us, jitter 0 us, rate 0 bit/s, queue 509, loss 0, burst 0/50332, reorder 3727 by 36473 us, dup 200000, corrupt 0, truncate 548, ce 0 (per million), mtu 0
# down 0: delay 113 us, jitter 0 us, rate 0 bit/s, queue 209, loss 0, burst 0/269095, reorder 100000 by 344 us, dup 6372, corrupt 0, truncate 6250, ce 0 (per million), mtu 0
# host 0: pages 8192, max_tcp 5, max_pkt 128, max_time_wait 5 tcp.wmem=7139 tcp.initcwnd=11 tcp.min_tso_segs=31 tcp.rto_min=451 tcp.time_wait=20798 tcp.moderate_rcvbuf=0 tcp.fastopen=1539
# up   1: delay 82 us, jitter 0 us, rate 0 bit/s, queue 104, loss 0, burst 0/194626, reorder 68493 by 270706 us, dup 181461, corrupt 0, truncate 949, ce 0 (per million), mtu 0
# down 1: delay 98 us, jitter 0 us, rate 0 bit/s, queue 67, loss 0, burst 0/79495, reorder 1000 by 2012 us, dup 5184, corrupt 0, truncate 20000, ce 0 (per million), mtu 0
# host 1: pages 8192, max_tcp 6, max_pkt 128, max_time_wait 6 tcp.wmem=123372 tcp.initcwnd=5 tcp.delack=12 tcp.rto_min=451 tcp.time_wait=31056 tcp.reordering=17 tcp.cc=0 tcp.syncookies=0 tcp.pacing=1 tcp.fastopen=1539
# up   2: delay 91 us, jitter 0 us, rate 0 bit/s, queue 459, loss 0, burst 0/50000, reorder 1805 by 2064 us, dup 4600, corrupt 0, truncate 8940, ce 0 (per million), mtu 0
# down 2: delay 119 us, jitter 0 us, rate 0 bit/s, queue 124, loss 0, burst 0/188808, reorder 1864 by 226163 us, dup 94688, corrupt 0, truncate 500, ce 0 (per million), mtu 0
# host 2: pages 8192, max_tcp 6, max_pkt 128, max_time_wait 6 tcp.rmem=146708 tcp.rmem_max=2304 tcp.wmem=34952 tcp.sack=0 tcp.window_scaling=0 tcp.rto_min=451 tcp.cc=2 tcp.syn_linear_timeouts=2 tcp.syncookies=0 tcp.ecn=1 tcp.nodelay=1
# up   3: delay 68 us, jitter 0 us, rate 0 bit/s, queue 512, loss 0, burst 0/68399, reorder 20613 by 1079 us, dup 45202, corrupt 0, truncate 1602, ce 0 (per million), mtu 0
# down 3: delay 112 us, jitter 0 us, rate 0 bit/s, queue 15, loss 0, burst 0/500000, reorder 46890 by 500000 us, dup 113482, corrupt 0, truncate 3299, ce 0 (per million), mtu 0
# host 3: pages 8192, max_tcp 6, max_pkt 128, max_time_wait 6 tcp.timestamps=0 tcp.initcwnd=18 tcp.rto_min=451 tcp.time_wait=20967 tcp.hystart=2 tcp.ecn=0 tcp.invalid_ratelimit=105 tcp.fastopen=1543 tcp.awake=0
# flow 0: host 2 to 1, IPv6, at 20 ms
#   client writes 18 by 105, reads by 168, closes when written, bbr
#   server writes 214 by 12820, reads by 10139, shuts down, closes at end of file
# flow 1: host 1 to 3, IPv4, at 106 ms, Fast Open
#   client writes 20 by 8, reads by 4 after 16480 ms, shuts down, closes at end of file
#   server writes 475 by 17651, reads by 85, aborts at 54
# flow 2: host 3 to 2, IPv4, at 166 ms
#   client writes 2112 by 23, reads by 1281, stops where the window is shut, shuts down, closes at end of file
#   server writes 1 by 71, reads by 65536 after 131 ms, shuts down, closes at end of file
# flow 3: host 2 to 3, IPv4, at 284 ms, simultaneous open
#   client writes 0 by 23470, reads by 94, shuts down, closes at end of file, NODELAY
#   server writes 1305 by 1937, reads by 17949, shuts down, closes at end of file
# flow 4: host 3 to 0, IPv6, at 374 ms
#   client writes 122 by 4, reads by 32 after 3957 ms, shuts down, closes at end of file, cubic
#   server writes 2155 by 337, reads by 80 after 840 ms, stops where the window is shut, shuts down, closes at end of file, bbr
# flow 5: host 3 to 0, IPv4, at 430 ms
#   client writes 460 by 169, reads by 20 after 863 ms, shuts down, closes at end of file, NODELAY, reno
#   server writes 1011 by 88, reads by 3436, stops where the window is shut, shuts down, closes at end of file
# flow 6: host 3 to 1, IPv6, at 547 ms
#   client writes 1592 by 249, reads by 65536 after 423 ms, shuts down, closes at end of file, NODELAY
#   server writes 2052 by 27, reads by 99, stops where the window is shut, shuts down, closes at end of file
# flow 7: host 2 to 3, IPv6, at 597 ms
#   client writes 1245 by 25276, reads by 65536, stops where the window is shut, shuts down, closes at end of file
#   server writes 0 by 23, reads by 504 after 859 ms, shuts down, closes at end of file, urgent, cubic
# flow 8: host 1 to 0, IPv4, at 692 ms
#   client writes 1253 by 127, reads by 64, stops where the window is shut, shuts down, closes at end of file
#   server writes 36 by 116, reads by 250 after 379 ms, shuts down, closes at end of file, EOR
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=61440 --flows-off=0xe00
