"""Whole networks in virtual time: faults have the shape that real nodes show."""

import random

import pytest

from simnode.testing.explorer import Weather, network
from simnode.testing.specs import PARA_ID
from tests.budget import schedules

SEEDS = schedules(4)


def finals(explorer):
    return [site.relay.tree.finalized_number for site in explorer.sites.values() if site.up]


def bests(explorer):
    return [site.relay.best_number for site in explorer.sites.values() if site.up]


def test_a_quiet_network_finalises_two_or_three_blocks_behind_and_includes_a_block_a_block(code):
    net = network(1, validators=4, code=code(), para_code=code("para"), collators=2)
    net.run(40)
    site = net.sites["c0"]
    assert min(bests(net)) >= 37
    assert max(bests(net)) - min(finals(net)) <= 4
    assert site.para.best_number >= 34
    assert site.para.tree.finalized_number >= 30
    assert net.sites["c0"].para.best == net.sites["c1"].para.best


def test_parachains_have_a_core_each(code):
    net = network(1, validators=6, code=code(), para_code=code("para"), parachains=3, collators=1)
    net.run(40)
    for name in ("c0", "c1", "c2"):
        assert net.sites[name].para.tree.finalized_number >= 28
    assert len({net.sites[name].para.best for name in ("c0", "c1", "c2")}) == 3


def test_a_backing_group_down_stops_a_parachain_until_groups_rotate(code):
    net = network(1, validators=4, code=code(), para_code=code("para"), collators=1, session=1000)
    net.run(5.5)
    cores = net.sites["v0"].relay.chain_rules.cores
    down = f"v{cores.group_for(PARA_ID, net.sites['v0'].relay.best_number, 0)[0]}"
    net.crash(down)
    up = next(site for site in net.sites.values() if site.up)
    net.run(2)  # What was backed already is included, and the collator fills its unincluded segment.
    stood = net.sites["c0"].para.best_number
    net.run(3)
    assert net.sites["c0"].para.best_number <= stood
    assert up.relay.best_number < 12
    net.run(12)
    assert net.sites["c0"].para.tree.finalized_number > stood


def test_a_third_offline_stops_finality_and_not_blocks(code):
    net = network(1, validators=4, code=code())
    net.run(15)
    net.crash("v0")
    net.run(15)
    assert min(finals(net)) >= 20, "less than a third changes nothing"
    net.crash("v1")
    net.run(3)
    stopped = max(finals(net))
    net.run(15)
    assert max(finals(net)) == stopped
    assert min(bests(net)) > stopped + 6, "secondary slots of those offline stay empty, the others go on"
    net.restart("v0")
    net.restart("v1")
    net.run(15)
    assert min(finals(net)) > max(bests(net)) - 5


def test_a_partition_leaks_through_a_relay_node_on_both_sides_until_that_is_cut_too(code):
    net = network(1, validators=4, code=code(), followers=1)
    net.run(10)
    net.partition({"v0", "v1"}, {"v2", "v3"})
    net.run(20)
    assert min(finals(net)) > 20
    net.partition({"v0", "v1", "f0"}, {"v2", "v3"})
    net.run(4)
    stopped = max(finals(net))
    net.run(15)
    assert max(finals(net)) == stopped
    left, right = net.sites["v0"].relay, net.sites["v3"].relay
    assert left.best != right.best
    assert min(left.best_number, right.best_number) > stopped + 5
    net.heal()
    net.run(15)
    assert min(finals(net)) > stopped + 10
    assert any("Reorg" in line for name in ("v0", "v3") for line in net.sites[name].logs)


def test_a_parachain_stands_while_its_relay_chain_is_divided_and_loses_nothing(code):
    net = network(1, validators=4, code=code(), para_code=code("para"), collators=2)
    net.run(20)
    net.partition({"v0", "v1", "c0"}, {"v2", "v3", "c1"})
    net.run(5)
    stood = net.sites["c0"].para.tree.finalized_number
    final_head = net.sites["c0"].para.tree.finalized
    net.run(20)
    assert net.sites["c0"].para.tree.finalized_number <= stood + 1
    net.heal()
    net.run(30)
    for name in ("c0", "c1"):
        assert net.sites[name].para.tree.finalized_number > stood + 10
        assert net.sites[name].para.tree.is_ancestor(final_head, net.sites[name].para.best)


def test_a_stopped_process_authors_nothing_for_the_past_and_catches_up_at_once(code):
    net = network(1, validators=4, code=code())
    net.run(10)
    net.pause("v0", 20)
    authored = net.sites["v0"].relay.authored
    net.run(19.9)
    assert net.sites["v0"].relay.best_number < 12
    assert min(site.relay.tree.finalized_number for name, site in net.sites.items() if name != "v0") > 20
    net.run(3)
    assert net.sites["v0"].relay.best_number >= max(bests(net)) - 1
    assert net.sites["v0"].relay.tree.finalized_number >= max(finals(net)) - 1
    assert net.sites["v0"].relay.authored <= authored + 3


def test_without_collators_the_relay_chain_goes_on(code):
    net = network(1, validators=4, code=code(), para_code=code("para"), collators=2)
    net.run(15)
    net.crash("c0")
    net.crash("c1")
    net.run(2)
    head = net.sites["v0"].relay.tree.finalized_number
    net.run(10)
    assert min(finals(net)) > head + 6
    net.restart("c0")
    net.restart("c1")
    before = net.sites["c0"].para.tree.finalized_number
    net.run(15)
    assert net.sites["c0"].para.tree.finalized_number > before + 8


def test_a_restart_with_its_database_goes_on_where_it_was(code):
    net = network(1, validators=4, code=code(), para_code=code("para"), collators=1)
    net.run(20)
    height = net.sites["v0"].relay.tree.finalized_number
    for name in list(net.sites):
        net.crash(name)
    for name in list(net.sites):
        net.restart(name)
    assert net.sites["v0"].relay.tree.finalized_number >= height
    net.run(15)
    assert min(finals(net)) > height + 10
    assert net.sites["c0"].para.tree.finalized_number > 20


def test_a_new_node_syncs_a_long_chain(code):
    net = network(1, validators=1, code=code(), followers=1)
    net.crash("f0", keep_database=False)
    net.sites["v0"].relay.authorities = 1
    net.run(300)
    net.restart("f0")
    net.run(6)
    assert net.sites["f0"].relay.best_number >= net.sites["v0"].relay.best_number - 1 > 290
    assert net.sites["f0"].relay.tree.finalized_number > 290


@pytest.mark.parametrize("chunk", range(4))
def test_every_schedule_of_faults_is_safe_and_ends_well(code, chunk):
    """Loss, delay, reordering, partitions, crashes, pauses; with a parachain in every other schedule."""
    for seed in range(chunk, SEEDS, 4):
        choice = random.Random(seed)
        weather = Weather(slowest=choice.choice((0.1, 0.4)), loss=choice.choice((0.0, 0.1, 0.3)))
        para = {"para_code": code("para"), "collators": 1} if seed % 2 else {}
        net = network(seed, validators=4, code=code(), weather=weather, preparation=0.5, **para)
        net.run(3)
        # The only collator must keep its blocks: nobody could give them back, for there is no recovery from chunks.
        forgetful = choice.choice(("v0", "v1", "v2", "v3"))
        for _ in range(5):
            disturb(net, choice, forgetful)
            net.run(choice.uniform(0.3, 2.5))
        net.heal()
        net.weather = Weather()
        for name, site in net.sites.items():
            if not site.up:
                net.restart(name)
        highest = max(finals(net))
        net.run(14)
        assert min(finals(net)) > highest, f"seed {seed}: {finals(net)} after {highest}"
        if "c0" in net.sites:
            assert net.sites["c0"].para.tree.finalized_number > 0, f"seed {seed}"


def disturb(net, choice, forgetful):
    """One fault more, or one less. One node of four may lose its database."""
    name = choice.choice(list(net.sites))
    match choice.randrange(5):
        case 0:
            sides = ({"x"}, {"y"})
            for one in net.sites:
                sides[choice.randrange(2)].add(one)
            net.partition(*sides)
        case 1:
            net.heal()
        case 2 if net.sites[name].up:
            net.crash(name, keep_database=name != forgetful)
        case 3 if not net.sites[name].up:
            net.restart(name)
        case 4:
            net.pause(name, choice.uniform(0.5, 3))
        case _:
            pass
