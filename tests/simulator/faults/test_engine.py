"""Each point, deed and condition of the engine, on tables with a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fault_world import FakeWorld, fault, lb_key, lb_value

from op_readiness.simulator.faults import FaultError, Faults
from op_readiness.simulator.network.keys import Backend, DnsKey, DnsQueryKey, DnsValue
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.channels import ChannelKey

Scene = Callable[[FakeWorld, Faults], Awaitable[None]]


def play(scene: Scene) -> None:
    async def go() -> None:
        world = FakeWorld()
        faults = Faults(world)
        try:
            await scene(world, faults)
        finally:
            faults.take_out_all()

    asyncio.run(go())


def lb(node: str = "win-1", **step: Any) -> dict[str, Any]:
    key = {"node": node, **step.pop("key", {})}
    return {"state": "LB", "key": key, **step}


def test_a_dropped_write_is_lost_on_the_named_node_only() -> None:
    """The keeper of win-1 believes to have written; win-2 really has."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        faults.put_in([fault(lb(point="write", on="create", do="drop"))])
        for name in ("win-1", "win-2"):
            world.nodes[name].tables["LB"].create(lb_key(), lb_value("10.244.1.5"))
        assert world.nodes["win-1"].tables["LB"].lookup(lb_key()) is None
        assert world.nodes["win-2"].tables["LB"].lookup(lb_key()) is not None

    play(scene)


def test_a_failed_delete_leaves_the_entry_and_tells_the_keeper() -> None:
    """Deleting raises WriteFailed with the words of the fault, and the entry stays."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        faults.put_in([fault(lb(point="write", on="delete", do="fail", value="HNS says no"))])
        with pytest.raises(WriteFailed, match="HNS says no"):
            table.delete(lb_key())
        assert table.lookup(lb_key()) is not None

    play(scene)


def test_a_delayed_write_comes_late_and_not_after_a_newer_one() -> None:
    """Nothing at 20 s, the entry at 30 s; a delayed entry that was deleted meanwhile does not come back."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        faults.put_in([fault(lb(point="write", on="create", do="delay", value="30s"))])
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        table.create(lb_key("gone"), lb_value("10.244.1.6"))
        await world.clock.turn(20)
        assert table.lookup(lb_key()) is None
        table.delete(lb_key("gone"))
        await world.clock.turn(10)
        assert table.lookup(lb_key()) == lb_value("10.244.1.5")
        assert table.lookup(lb_key("gone")) is None

    play(scene)


def test_an_altered_write_can_take_its_value_from_the_key() -> None:
    """A named targetPort is programmed as the Service's own port; a numeric one is left alone."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        step = lb(key={"target_port": "named"}, point="write", do="alter", value={"internal_port": "$key.service_port"})
        faults.put_in([fault(step)])
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        table.create(lb_key("other"), lb_value("10.244.1.5"))
        assert table.lookup(lb_key()).internal_port == 80
        assert table.lookup(lb_key("other")).internal_port == 8080

    play(scene)


def test_writes_that_shrink_can_be_told_from_those_that_grow() -> None:
    """A backend that leaves stays programmed until the next one comes."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5", "10.244.1.6"))
        faults.put_in([fault(lb(key={"change": "shrinks"}, point="write", on="update", do="drop"))])
        table.update(lb_key(), lb_value("10.244.1.5"))
        assert len(table.lookup(lb_key()).backends) == 2
        table.update(lb_key(), lb_value("10.244.1.5", "10.244.1.7", "10.244.1.8"))
        assert len(table.lookup(lb_key()).backends) == 3

    play(scene)


def test_set_removes_once_behind_the_keepers_back_at_its_time() -> None:
    """The entry goes at 5 s; one that is written later stays."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        faults.put_in([fault(lb(key={"service": "shop/web"}, point="set", do="remove", when={"at": "5s"}))])
        await world.clock.turn(4)
        assert table.lookup(lb_key()) is not None
        await world.clock.turn(1)
        assert table.lookup(lb_key()) is None
        table.create(lb_key(), lb_value("10.244.1.5"))
        await world.clock.turn(60)
        assert table.lookup(lb_key()) is not None

    play(scene)


def test_set_waits_for_something_to_change() -> None:
    """Put in before the entry is there, it acts ten seconds after the entry has come, and once."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        faults.put_in([fault(lb(point="set", do="alter", value={"backends": {"keep": 1}}))])
        table.create(lb_key(), lb_value("10.244.1.5", "10.244.1.6"))
        await world.clock.turn(10)
        assert table.lookup(lb_key()).backends == (Backend("10.244.1.5", 8080),)
        table.create(lb_key("late"), lb_value("10.244.1.5", "10.244.1.6"))
        await world.clock.turn(60)
        assert len(table.lookup(lb_key("late")).backends) == 2

    play(scene)


def test_every_third_and_at_most_two() -> None:
    """Of nine creates the third and the sixth are lost."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        faults.put_in([fault(lb(point="write", on="create", do="drop", when={"every": 3, "count": 2}))])
        table = world.nodes["win-1"].tables["LB"]
        for n in range(9):
            table.create(lb_key(f"s{n}"), lb_value("10.244.1.5"))
        assert [n for n in range(9) if table.lookup(lb_key(f"s{n}")) is None] == [2, 5]

    play(scene)


def test_the_first_two_of_each_entry() -> None:
    """Each entry's deletion fails twice and then goes well, however many entries there are."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        faults.put_in([fault(lb(point="write", on="delete", do="fail", when={"first": 2}))])
        table = world.nodes["win-1"].tables["LB"]
        for name in ("a", "b"):
            table.create(lb_key(name), lb_value("10.244.1.5"))
            for _ in range(2):
                with pytest.raises(WriteFailed):
                    table.delete(lb_key(name))
            table.delete(lb_key(name))
            assert table.lookup(lb_key(name)) is None

    play(scene)


def test_after_an_event_with_its_fields_and_until_another_one() -> None:
    """Look-ups are lost from `service deleted` of the named Namespace to `kube-proxy restarted` of the Node."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        when = {"after": {"event": "service deleted", "namespace": "shop"}}
        until = {"event": "kube-proxy restarted", "node": "win-1"}
        faults.put_in([fault(lb(point="lookup", do="remove", when=when, until=until))])
        world.emit("service deleted", namespace="elsewhere", name="x")
        assert table.lookup(lb_key()) is not None
        world.emit("service deleted", namespace="shop", name="x")
        assert table.lookup(lb_key()) is None
        world.emit("kube-proxy restarted", node="win-2")
        assert table.lookup(lb_key()) is None
        world.emit("kube-proxy restarted", node="win-1")
        assert table.lookup(lb_key()) is not None

    play(scene)


def test_for_a_while_and_while_a_count_holds() -> None:
    """A load balancer is lost for ten seconds, and only while its Node has more than two entries."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        faults.put_in([fault({**lb(point="lookup", do="remove", when={"while": "entries > 2"}), "for": "10s"})])
        table.create(lb_key("a"), lb_value("10.244.1.5"))
        table.create(lb_key("b"), lb_value("10.244.1.5"))
        assert table.lookup(lb_key("a")) is not None
        table.create(lb_key("c"), lb_value("10.244.1.5"))
        assert table.lookup(lb_key("a")) is None
        await world.clock.turn(10)
        assert table.lookup(lb_key("a")) is not None

    play(scene)


def test_a_square_wave_passes_and_drops_in_turn() -> None:
    """Five seconds pass, five are lost, again and again."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        faults.put_in([fault(lb(point="lookup", do="square-wave", value={"pass": "5s", "drop": 5}))])
        seen = ""
        for _ in range(20):
            seen += "." if table.lookup(lb_key()).verdict == "pass" else "x"
            await world.clock.turn(1)
        assert seen == ".....xxxxx" * 2

    play(scene)


def test_loss_is_drawn_from_the_seed_of_the_world() -> None:
    """A loss of 0.3 loses about that part, and the same ones again."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        faults.put_in([fault(lb(point="lookup", do="loss", value=0.3))])
        assert sum(table.lookup(lb_key()).verdict == "drop" for _ in range(1000)) in range(250, 350)

    play(scene)


def test_a_frozen_look_up_gives_what_was_met_first() -> None:
    """An answer that is cached for ever does not follow the table."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["LB"]
        table.create(lb_key(), lb_value("10.244.1.5"))
        faults.put_in([fault(lb(point="lookup", do="freeze"))])
        first = table.lookup(lb_key())
        table.update(lb_key(), lb_value("10.244.1.6"))
        assert table.lookup(lb_key()) == first

    play(scene)


def test_dns_steps_find_the_kind_of_entry_that_they_speak_of() -> None:
    """A question over TCP is dropped; a resolver's search list is cut; neither step touches the other kind."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        table = world.nodes["win-1"].tables["DNS"]
        lost = {"state": "DNS", "key": {"node": "win-1", "protocol": "TCP"}, "point": "lookup", "do": "drop"}
        cut = {"state": "DNS", "key": {"node": "win-1"}, "point": "write", "do": "alter", "value": {"search": []}}
        faults.put_in([fault(lost), fault(cut)])
        resolver = DnsKey("win-1", "windows", "uid-1", "shop/web-0")
        table.create(resolver, DnsValue(("10.96.0.10",), ("shop.svc.cluster.local",)))
        question = DnsQueryKey("win-1", "windows", "shop/web-0", "10.96.0.10", "TCP", "a.b", "A", "cluster")
        assert table.lookup(resolver) == DnsValue(("10.96.0.10",), ())
        assert table.lookup(question).verdict == "drop"

    play(scene)


def test_channels_hang_and_images_cannot_be_pulled() -> None:
    """A lost exec hangs; a failed pull says the runtime's words."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        hangs = {"state": "CHAN", "key": {"node": "win-1", "channel": "exec"}, "point": "lookup", "do": "drop"}
        refused = {
            "state": "IMG",
            "key": {"node": "win-1", "image": "*agnhost*"},
            "point": "lookup",
            "do": "fail",
            "value": "no match",
        }
        faults.put_in([fault(hangs, refused)])
        tables = world.nodes["win-1"].tables
        assert tables["CHAN"].lookup(ChannelKey("exec", "shop", "web-0")).state == "hangs"
        assert tables["CHAN"].lookup(ChannelKey("log", "shop", "web-0")) is None
        assert tables["IMG"].lookup("registry.k8s.io/e2e-test-images/agnhost:2.59").error == "no match"

    play(scene)


def test_acts_restart_components_and_remove_objects() -> None:
    """kube-proxy of win-1 restarts at once; one DNS Pod, the first by name, is deleted."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        world.api.items = [
            {"metadata": {"namespace": "kube-system", "name": name, "labels": {"k8s-app": app}}}
            for name, app in (("dns-b", "kube-dns"), ("dns-a", "kube-dns"), ("other", "x"))
        ]
        restart = {
            "state": "NODE",
            "key": {"node": "win-1", "component": "kube-proxy"},
            "point": "set",
            "do": "restart",
        }
        key = {"resource": "pods", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
        moved = {"state": "API", "key": key, "point": "set", "do": "remove", "when": {"count": 1}}
        faults.put_in([fault(restart, moved)])
        await world.clock.turn(0)
        assert world.restarted == [("kube-proxy", "win-1")]
        assert ("DELETE", "/api/v1/namespaces/kube-system/pods/dns-a") in world.api.calls
        assert sum(call[0] == "DELETE" for call in world.api.calls) == 1

    play(scene)


def test_taking_out_leaves_no_hook() -> None:
    """After take_out_all no table has a hook and no request is judged."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        down = {"state": "API", "point": "lookup", "do": "fail", "value": {"status": 500}}
        faults.put_in(
            [
                fault(
                    lb("*", point="write", do="drop"),
                    lb("*", point="lookup", do="remove"),
                    lb("*", point="set", do="remove"),
                    down,
                )
            ]
        )
        assert not faults.api.quiet
        faults.take_out_all()
        assert faults.api.quiet
        assert not any(t.on_write or t.on_lookup for node in world.nodes.values() for t in node.tables.values())

    play(scene)


def test_a_fault_that_cannot_be_put_in_leaves_the_others_out() -> None:
    """Two requests of which the second is wrong change nothing."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        good, bad = fault(lb(point="write", do="drop")), fault(lb(key={"nmae": "web"}, point="write", do="drop"))
        with pytest.raises(FaultError, match="no field 'nmae'; did you mean 'name'"):
            faults.put_in([good, bad])
        assert not faults.active
        assert not world.nodes["win-1"].tables["LB"].on_write

    play(scene)


def test_a_node_is_drawn_by_the_seed_and_named() -> None:
    """Left open, the Node is a Windows one, the same for the same seed, and the description names it."""

    async def scene(world: FakeWorld, faults: Faults) -> None:
        request = fault(lb("$node", point="write", do="drop"), parameters={"node": {"kind": "windows-node"}})
        first = faults.put_in([request])[0]["nodes"]
        again = Faults(FakeWorld()).put_in([request])[0]["nodes"]
        assert first == again
        assert first[0] in ("win-1", "win-2", "win-3")

    play(scene)
