/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm itself: what a seed promises. */
#include "swarm.h"

#include <t.h>

int main(void) { return t_main(); }

/* With devices that cut and join superframes and without: the applications read the same. (Not all packets are the same: connections take
 * turns by frames, so where there are several, chance falls on other packets.) */
TEST(swarm, superframes_deliver_the_same_bytes)
{
    unsigned with = 0, same = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct swarm_options o = {.seed = seed};
        struct swarm_result on, off;
        swarm_run(&o, &on);
        if ((on.faults >> SWARM_SUPERFRAMES & 1) == 0)
            continue;
        o.off = 1u << SWARM_SUPERFRAMES;
        swarm_run(&o, &off);
        EQ(on.failed, false);
        EQ(off.failed, false);
        CHECK(on.delivered == off.delivered);
        EQ(off.saw[SAW_SUPER_OUT] + off.saw[SAW_SUPER_IN] + off.saw[SAW_CSUM_LEFT], 0);
        with += on.saw[SAW_SUPER_OUT] > 0 || on.saw[SAW_SUPER_IN] > 0;
        same += on.hash == off.hash && on.saw[SAW_SUPER_OUT] > 0;
    }
    CHECK(with > 20);
    CHECK(same > 5); /* one connection: every packet at the same nanosecond */
}

/* Every topology is drawn, packets go over its trunks, and "routers" leaves them out. */
TEST(swarm, topologies_are_drawn_and_crossed)
{
    static const enum swarm_sight over[SWARM_TOPOLOGY_COUNT] = {
        [SWARM_DUMBBELL] = SAW_DUMBBELL, [SWARM_CHAIN] = SAW_CHAIN, [SWARM_PARKING] = SAW_PARKING};
    unsigned drawn[SWARM_TOPOLOGY_COUNT] = {0}, crossed[SWARM_TOPOLOGY_COUNT] = {0}, middle = 0, cut = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct swarm_options o = {.seed = seed, .shift = 3};
        struct swarm_result r;
        swarm_run(&o, &r);
        EQ(r.failed, false);
        drawn[r.topology]++;
        middle += r.saw[SAW_TRUNK_TOO_BIG] > 0;
        cut += r.saw[SAW_TRUNK_CUT] > 0;
        uint32_t all = r.saw[SAW_DUMBBELL] + r.saw[SAW_CHAIN] + r.saw[SAW_PARKING];
        EQ(all, r.topology >= SWARM_DUMBBELL ? r.saw[over[r.topology]] : 0);
        crossed[r.topology] += all > 0;
        if (r.topology < SWARM_DUMBBELL)
            continue;
        o.off = 1u << SWARM_ROUTERS;
        swarm_run(&o, &r);
        EQ(r.failed, false);
        CHECK(r.topology < SWARM_DUMBBELL);
        EQ(r.saw[SAW_DUMBBELL] + r.saw[SAW_CHAIN] + r.saw[SAW_PARKING], 0);
    }
    CHECK(drawn[SWARM_PAIR] > 50 && drawn[SWARM_STAR] > 20);
    for (unsigned i = SWARM_DUMBBELL; i < SWARM_TOPOLOGY_COUNT; i++)
        CHECK(drawn[i] >= 4 && crossed[i] * 4 >= drawn[i] * 3);
    CHECK(middle > 0 && cut > 0);
}

TEST(swarm, options_of_a_run_can_be_read_back)
{
    struct swarm_options o = {.seed = 7, .off = 1u << SWARM_LOSS | 1u << SWARM_SUPERFRAMES, .flows_off = 2, .shift = 3};
    char text[256];
    uint32_t off = 0;
    swarm_options_text(&o, text, sizeof text);
    CHECK(strcmp(text, "--seed=7 --off=loss,superframes --flows-off=0x2 --shift=3") == 0);
    CHECK(swarm_off_parse("loss,superframes", &off) && off == o.off);
    CHECK(!swarm_off_parse("loss,nonsense", &off));
}
