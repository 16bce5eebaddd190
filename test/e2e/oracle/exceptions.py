# Where barewire is right to differ from Linux's tracking, by the first step of a talk that does.
from oracle.talk import ACK, FIN, RST, SYN, TCP


OFFERED = ("10.0.0.80", "fd00:0:0:a::80")


def bits(step):
    return step.what.get("bits", 0)


def after_a_reset(talk, n, ours, theirs):
    """Linux forgets an unanswered connection with its reset; here it is closed, and may go on if
    the reset was not believed (RFC 7857 2.2, RFC 5961 3.2)."""
    return talk.proto == TCP and ours and not theirs and any(
        bits(s) & RST for s in talk.steps[:n])


def syn_of_the_other(talk, n, ours, theirs):
    """A SYN in a connection that stands changes nothing; its receiver says so (RFC 5961 4)."""
    return talk.proto == TCP and ours and not theirs and bits(talk.steps[n]) & SYN


def half_open(talk, n, ours, theirs):
    """Who knows of another connection answers a SYN with what belongs to that one, and learns by a
    reset (RFC 9293 3.5.1): a FIN as well. That the handshake was seen is told by what passed."""
    syns = [i for i, s in enumerate(talk.steps[:n]) if s.by == "client" and bits(s) == SYN]
    answered = any(bits(s) == SYN | ACK for s in talk.steps[max(syns, default=0):n])
    begun = talk.client.cable == 0 or talk.to.address in OFFERED
    return talk.proto == TCP and ours and not theirs and bits(talk.steps[n]) & FIN and not (
        answered and begun)


def two_fins(talk, n, ours, theirs):
    """Linux takes a second FIN of one side for the other's, so that all is over, and a SYN behind it
    for another connection; here it stands until both have ended, and such a SYN changes nothing
    (RFC 9293 3.6, RFC 5961 4)."""
    def fins(by, steps):
        return sum(s.by == by and bool(bits(s) & FIN) for s in steps)
    syns = [i for i, s in enumerate(talk.steps[:n]) if i and bits(s) == SYN]
    return talk.proto == TCP and ours and not theirs and any(
        fins(by, talk.steps[:i]) > 1 for i in syns for by in ("client", "server"))


def ended_by_a_syn(talk, n, ours, theirs):
    """A SYN behind the end of a connection begins another, whoever sends it (RFC 9293 3.6.1), and if
    it may not, nobody knows the old one any more. Linux has such an end by other packets."""
    return talk.proto == TCP and theirs and not ours and any(
        bits(s) == SYN for s in talk.steps[1:n])
