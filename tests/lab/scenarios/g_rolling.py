"""A Deployment's pods are replaced while clients of all kinds are at work."""
from lab import NODE_IP, OUTSIDE_IP, Failure
from manifests import service
from rollout import Keepers, Rollout, judge_load, judge_resolvers, start_load, start_resolvers, stop_load

VIP = "10.96.0.5"
BALANCED = {"Cluster": "203.0.113.21", "Local": "203.0.113.22"}
NODE_PORT = {"Cluster": (30080, 30053), "Local": (30081, 30054)}


def it_replaces_twenty_pods_under_500_requests_a_second(lab):
    """Two at a time. No request fails; long-lived connections live until their pods end; resolvers retry once at most."""
    rate, pods, connections = 500, 20, 40
    rollout = Rollout(lab, service(ports=[("http", "TCP", 80, None), ("dns", "UDP", 53, None)]), pods, 2)
    lab.start_podferry()
    rollout.wait_until_all_serve(VIP, 80)
    resolvers = start_resolvers(lab, [(f"pod{n}", VIP, 53, 5000 + n) for n in (1, 2, 3, 4)])
    keepers = Keepers(lab, "pod3", VIP, 80, connections)
    start_load(rollout, "pod4", VIP, 80, rate)
    rollout.roll()
    rollout.wait_until_all_serve(VIP, 80)
    told = judge_load(stop_load(lab), rate, {f"{number:02}" for number in range(2 * pods)})
    late = keepers.judge(rollout.ended)
    silence = judge_resolvers(resolvers, rollout.running)
    print(f"      {pods} pods replaced: {told}; {connections} connections heard of their pod's end within {late:.1f} s; "
          f"unanswered questions in a row: {silence}")


def balanced(policy):
    """A Service of the same pods with a load balancer's address."""
    http, dns = NODE_PORT[policy]
    text = service(f"web-{policy.lower()}", {"Cluster": "10.96.0.11", "Local": "10.96.0.12"}[policy],
                   f"  type: LoadBalancer\n  externalTrafficPolicy: {policy}\n",
                   [("http", "TCP", 80, http), ("dns", "UDP", 53, dns)]).replace(f"app: web-{policy.lower()}", "app: web")
    return text.replace("---\n", f"status: {{loadBalancer: {{ingress: [{{ip: {BALANCED[policy]}}}]}}}}\n---\n")


def it_replaces_pods_behind_load_balancers(lab):
    """Policies Cluster and Local, with clients outside: no request fails; UDP clients of load balancers and of node ports that
    keep their port move on after one retry at most."""
    rate, pods = 60, 4
    rollout = Rollout(lab, balanced("Cluster") + balanced("Local"), pods, 1)
    lab.start_podferry()
    for policy, address in BALANCED.items():
        rollout.wait_until_all_serve(address, 80)
    resolvers = start_resolvers(lab, [("outside", *target, 5000 + number) for number, target in enumerate(
        [(BALANCED[policy], 53) for policy in BALANCED for _ in (1, 2)] +
        [(NODE_IP[4], NODE_PORT[policy][1]) for policy in BALANCED for _ in (1, 2)])])
    for policy, address in BALANCED.items():
        start_load(rollout, "outside", address, 80, rate, policy)
    rollout.roll()
    for address in BALANCED.values():
        rollout.wait_until_all_serve(address, 80)
    for policy in BALANCED:
        rows = stop_load(lab, policy)
        told = judge_load(rows, rate, {f"{number:02}" for number in range(2 * pods)})
        sources = {row["rest"] for row in rows}
        if (sources == {OUTSIDE_IP[4]}) != (policy == "Local") or len(sources) != 1:
            raise Failure(f"policy {policy}: the pods saw {sources}")
        print(f"      policy {policy}: {told}")
    print(f"      unanswered questions in a row: {judge_resolvers(resolvers, rollout.running)}")
