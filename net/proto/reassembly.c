/* Reassembly: what both families share, from a fragment to the datagram. */
#include "net/proto/reassembly.h"

#include "net/proto/internal.h"

#define FRAGMENT_HEADER6 8u

_Static_assert(REASSEMBLY_FRAGMENTS < 0xffff, "fragment numbers fit 16 bits");

/* A fragment that has arrived. */
struct piece {
	struct reassembly_key key;
	uint64_t word;
	uint32_t from, to; /* which bytes of the payload */
	uint32_t data;     /* where they begin in the frame */
	bool more;         /* there are others behind it */
};

/* ---- fragments ---- */

static struct reassembly_fragment *fragment_of(struct reassembly *r, unsigned number)
{
	return number ? &r->fragment[number - 1] : NULL;
}

void reassembly_init(struct stack *s)
{
	struct reassembly *r = &s->reassembly;

	memset(r, 0, sizeof *r);
	r->whole = r->bytes;
	for (unsigned number = REASSEMBLY_FRAGMENTS; number > 0; number--) {
		fragment_of(r, number)->next = r->free;
		r->free = (uint16_t)number;
	}
}

/* Takes the first fragment out of a datagram. */
static uint64_t take_first(struct reassembly *r, struct reassembly_datagram *d)
{
	uint16_t number = d->first;
	struct reassembly_fragment *f = fragment_of(r, number);

	d->first = f->next;
	d->n--;
	f->next = r->free;
	r->free = number;
	r->held--;
	return f->word;
}

static void drop_fragments(struct stack *s, struct reassembly_datagram *d, enum drop_reason reason)
{
	while (d->first)
		s->ops->drop(s->ctx, take_first(&s->reassembly, d), reason);
}

/* RFC 5722 4: those not yet received as well, so it stays until its time is over. */
static void refuse(struct stack *s, struct reassembly_datagram *d)
{
	s->reassembly.refused++;
	drop_fragments(s, d, DROP_FRAGMENT_BAD);
	d->dead = true;
}

/* ---- whose turn it is to go ---- */

static bool same_source(const struct reassembly_key *a, const struct reassembly_key *b)
{
	return a->six == b->six && a->port == b->port && ip6_equal(a->src, b->src);
}

/* What the datagrams of a source take. */
static uint32_t source_weight(const struct reassembly *r, const struct reassembly_key *k)
{
	uint32_t weight = 0;

	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		const struct reassembly_datagram *d = &r->datagram[i];

		if (d->used && same_source(&d->key, k))
			weight += 1u + d->n;
	}
	return weight;
}

static struct reassembly_datagram *oldest_of(struct reassembly *r, const struct reassembly_key *k)
{
	struct reassembly_datagram *oldest = NULL;

	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		struct reassembly_datagram *d = &r->datagram[i];

		if (d->used && same_source(&d->key, k) && (!oldest || d->birth < oldest->birth))
			oldest = d;
	}
	return oldest;
}

/* The interface a fragment came in by; IFACE_MAX: it is our own. */
static uint16_t source_port(const struct stack *s, uint64_t word)
{
	unsigned port = s->ops->ingress(s->ctx, word);

	return (uint16_t)(port < IFACE_MAX ? port : IFACE_MAX);
}

/* The port with the most; only one that has any matters. */
static unsigned largest_port(const struct reassembly *r)
{
	uint32_t weight[IFACE_MAX + 1] = {0}; /* the last: what we sent to ourselves */
	unsigned most = 0;

	for (unsigned i = 0; i < REASSEMBLY_MAX; i++)
		if (r->datagram[i].used)
			weight[r->datagram[i].key.port] += 1u + r->datagram[i].n;
	for (unsigned port = 1; port <= IFACE_MAX; port++)
		if (weight[port] > weight[most])
			most = port;
	return most;
}

static struct reassembly_datagram *oldest_dead(struct reassembly *r)
{
	struct reassembly_datagram *oldest = NULL;

	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		struct reassembly_datagram *d = &r->datagram[i];

		if (d->used && d->dead && (!oldest || d->birth < oldest->birth))
			oldest = d;
	}
	return oldest;
}

/* The oldest datagram of the source with the most; there is one. */
static struct reassembly_datagram *expendable(struct reassembly *r)
{
	const struct reassembly_key *holder = NULL;
	unsigned port = largest_port(r);
	uint32_t most = 0;

	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		const struct reassembly_datagram *d = &r->datagram[i];
		uint32_t weight;

		if (!d->used || d->key.port != port)
			continue;
		weight = source_weight(r, &d->key);
		if (weight > most) {
			most = weight;
			holder = &d->key;
		}
	}
	return holder ? oldest_of(r, holder) : NULL;
}

static void evict(struct stack *s, struct reassembly_datagram *d)
{
	s->reassembly.evicted += !d->dead;
	drop_fragments(s, d, DROP_FRAGMENT_EVICTED);
	d->used = false;
}

/* ---- datagrams ---- */

static bool same_datagram(const struct reassembly_key *a, const struct reassembly_key *b)
{
	return a->id == b->id && a->protocol == b->protocol && a->six == b->six &&
	       ip6_equal(a->src, b->src) && ip6_equal(a->dst, b->dst) &&
	       (a->port == b->port || !ip6_is_link_local(a->src) || !a->six);
}

static struct reassembly_datagram *find(struct reassembly *r, const struct reassembly_key *k)
{
	for (unsigned i = 0; i < REASSEMBLY_MAX; i++)
		if (r->datagram[i].used && same_datagram(&r->datagram[i].key, k))
			return &r->datagram[i];
	return NULL;
}

static struct reassembly_datagram *unused(struct reassembly *r)
{
	for (unsigned i = 0; i < REASSEMBLY_MAX; i++)
		if (!r->datagram[i].used)
			return &r->datagram[i];
	return NULL;
}

/* Its datagram, with room for the fragment; NULL: making room has cost it its own. */
static struct reassembly_datagram *datagram_for(struct stack *s, const struct piece *p)
{
	struct reassembly *r = &s->reassembly;
	struct reassembly_datagram *d = find(r, &p->key);
	bool known = d != NULL;

	if (source_weight(r, &p->key) >= REASSEMBLY_SOURCE)
		evict(s, oldest_of(r, &p->key));
	while (!r->free || (!known && !unused(r)))
		evict(s, oldest_dead(r) ? oldest_dead(r) : expendable(r));
	if (known)
		return d->used ? d : NULL;
	d = unused(r);
	*d = (struct reassembly_datagram){.key = p->key,
		.due_ms = s->now_ms + (p->key.six ? REASSEMBLY6_MS : REASSEMBLY_MS),
		.birth = r->births++,
		.used = true};
	return d;
}

/* ---- a fragment takes its place ---- */

enum place {
	PLACE_FREE,
	PLACE_COPY,    /* the very same is there already */
	PLACE_OVERLAP, /* or it contradicts what is there */
};

static bool is_copy(const struct stack *s, const struct reassembly_datagram *d,
	const struct reassembly_fragment *f, const struct piece *p)
{
	bool more = !d->length || f->to < d->length;

	return f->from == p->from && f->to == p->to && more == p->more &&
	       memcmp(frame_of(s, f->word) + f->data, frame_of(s, p->word) + p->data,
		       p->to - p->from) == 0;
}

/* *link: what is to lead to it. */
static enum place place_of(const struct stack *s, struct reassembly *r,
	struct reassembly_datagram *d, const struct piece *p, uint16_t **link)
{
	uint32_t last = 0;

	*link = &d->first;
	for (struct reassembly_fragment *f; (f = fragment_of(r, **link)); *link = &f->next) {
		if (p->to <= f->from)
			break;
		if (p->from < f->to)
			return is_copy(s, d, f, p) ? PLACE_COPY : PLACE_OVERLAP;
	}
	for (const struct reassembly_fragment *f = fragment_of(r, d->first); f;
		f = fragment_of(r, f->next))
		last = f->to;
	/* There is one end, and nothing behind it. */
	if (p->more ? (d->length && p->to >= d->length) : (d->length || last > p->from))
		return PLACE_OVERLAP;
	return PLACE_FREE;
}

static void insert(
	struct reassembly *r, struct reassembly_datagram *d, const struct piece *p, uint16_t *link)
{
	uint16_t number = r->free;
	struct reassembly_fragment *f = fragment_of(r, number);

	r->free = f->next;
	*f = (struct reassembly_fragment){.word = p->word,
		.from = (uint16_t)p->from,
		.to = (uint16_t)p->to,
		.data = (uint16_t)p->data,
		.next = *link};
	*link = number;
	d->n++;
	d->bytes += p->to - p->from;
	if (!p->more)
		d->length = p->to;
	r->held++;
}

/* ---- the whole ---- */

/* The header in front of a fragment header is to lead to what is behind that, RFC 8200 4.5. */
static void skip_fragment_header(uint8_t *whole, const uint8_t *frame)
{
	struct ext e = ext_first(frame);

	while (e.type != IPV6_FRAGMENT && ext_next(frame, &e))
		;
	whole[e.named] = frame[e.at];
}

static void finish(uint8_t *whole, const uint8_t *frame, uint32_t end, bool six)
{
	if (six) {
		store_be16(whole + IPV6_PAYLOAD, (uint16_t)(end - ETH_HEADER - IPV6_HEADER));
		skip_fragment_header(whole, frame);
		return;
	}
	store_be16(whole + IPV4_LENGTH, (uint16_t)(end - ETH_HEADER));
	store_be16(whole + IPV4_FRAGMENT,
		(uint16_t)(load_be16(frame + IPV4_FRAGMENT) & ~(IPV4_MF | IPV4_OFFSET)));
	ipv4_finish(whole);
}

/* All fragments are there. false: header and payload together are too long. */
static bool assemble(struct stack *s, struct reassembly_datagram *d, uint64_t *word)
{
	struct reassembly *r = &s->reassembly;
	bool six = d->key.six;
	const struct reassembly_fragment *f = fragment_of(r, d->first);
	const uint8_t *frame = frame_of(s, f->word);
	uint32_t header = f->data - (six ? FRAGMENT_HEADER6 : 0), end = header + d->length;

	if (end > ETH_HEADER + (six ? IPV6_HEADER : 0) + REASSEMBLY_PAYLOAD) {
		refuse(s, d);
		return false;
	}
	memcpy(r->whole, frame, header);
	for (; f; f = fragment_of(r, f->next))
		memcpy(r->whole + header + f->from, frame_of(s, f->word) + f->data,
			(size_t)(f->to - f->from));
	finish(r->whole, frame, end, six);
	*word = take_first(r, d);
	*word = packet_retake(*word, end < UINT16_MAX ? end : UINT16_MAX, PACKET_FLAG_WHOLE);
	while (d->first)
		s->ops->deliver(s->ctx, take_first(r, d));
	d->used = false;
	r->completed++;
	return true;
}

static bool add(struct stack *s, const struct piece *p, uint64_t *word)
{
	struct reassembly *r = &s->reassembly;
	struct reassembly_datagram *d = datagram_for(s, p);
	uint16_t *link;
	enum place place;

	if (!d || d->dead) {
		s->ops->drop(s->ctx, p->word, d ? DROP_FRAGMENT_BAD : DROP_FRAGMENT_EVICTED);
		return false;
	}
	place = place_of(s, r, d, p, &link);
	if (place == PLACE_FREE) {
		insert(r, d, p, link);
		return d->bytes == d->length && assemble(s, d, word);
	}
	s->ops->drop(
		s->ctx, p->word, place == PLACE_COPY ? DROP_FRAGMENT_DUPLICATE : DROP_FRAGMENT_BAD);
	if (place == PLACE_OVERLAP)
		refuse(s, d);
	return false;
}

/* ---- the families ---- */

static bool bad_fragment(struct stack *s, uint64_t word)
{
	s->reassembly.refused++;
	s->ops->drop(s->ctx, word, DROP_FRAGMENT_BAD);
	return false;
}

bool reassembly_add(struct stack *s, uint64_t *word)
{
	const uint8_t *frame = frame_of(s, *word);
	uint32_t header = ipv4_header_len(frame), fragment = load_be16(frame + IPV4_FRAGMENT);
	uint32_t length = ipv4_total_len(frame) - header;
	struct piece p = {
		.key = {.src = rib4_key(load_be32(frame + IPV4_SOURCE)),
			.dst = rib4_key(load_be32(frame + IPV4_DEST)),
			.id = load_be16(frame + IPV4_ID),
			.protocol = frame[IPV4_PROTOCOL],
			.port = source_port(s, *word)},
		.word = *word,
		.from = (fragment & IPV4_OFFSET) * 8,
		.data = IPV4_OFF + header,
		.more = fragment & IPV4_MF,
	};

	s->reassembly.fragments++;
	p.to = p.from + length;
	if (length == 0 || (p.more && length % 8) || header + p.to > REASSEMBLY_PAYLOAD)
		return bad_fragment(s, *word);
	return add(s, &p, word);
}

/* RFC 7112 5: the first fragment has all headers, that of the transport as well. */
static bool has_all_headers(const uint8_t *frame)
{
	struct ext e;
	uint32_t least;

	if (!ext_transport(frame, &e))
		return false;
	least = e.type == IPV4_TCP ? 20 : e.type == IPV4_UDP || e.type == IPV6_ICMP ? 8 : 0;
	return e.at + least <= e.end;
}

/* RFC 8200 4.5: what is wrong with the fragment is said to its source. */
static bool bad_fragment6(struct stack *s, uint64_t word, uint8_t code, uint32_t at)
{
	icmp6_send_error(s, word, ICMP6_PARAMETER, code, at ? at - ETH_HEADER : 0);
	return bad_fragment(s, word);
}

bool reassembly_add6(struct stack *s, uint64_t *word, const struct ext *e)
{
	const uint8_t *frame = frame_of(s, *word);
	uint32_t fragment = load_be16(frame + e->at + 2);
	struct piece p = {
		.key = {.src = ipv6_src(frame),
			.dst = ipv6_dst(frame),
			.id = load_be32(frame + e->at + 4),
			.port = source_port(s, *word),
			.six = true},
		.word = *word,
		.from = fragment & 0xfff8u,
		.data = e->at + FRAGMENT_HEADER6,
		.more = fragment & 1u,
	};

	s->reassembly.fragments++;
	p.to = p.from + (e->end - p.data);
	if (p.more && (p.to - p.from) % 8)
		return bad_fragment6(s, *word, ICMP6_ERRONEOUS_FIELD, IPV6_PAYLOAD);
	if (e->at - ETH_HEADER - IPV6_HEADER + p.to > REASSEMBLY_PAYLOAD)
		return bad_fragment6(s, *word, ICMP6_ERRONEOUS_FIELD, e->at + 2);
	if (p.from == 0 && !has_all_headers(frame))
		return bad_fragment6(s, *word, ICMP6_INCOMPLETE_CHAIN, 0);
	if (p.to == p.from || (packet_flags(*word) & PACKET_FLAG_WHOLE))
		return bad_fragment(s, *word); /* of nothing, or of a fragment */
	return add(s, &p, word);
}

/* ---- time ---- */

/* RFC 792, RFC 8200 4.5: told only by the first fragment, which says who sent it what. */
static void expire(struct stack *s, struct reassembly_datagram *d)
{
	struct reassembly *r = &s->reassembly;
	const struct reassembly_fragment *f = fragment_of(r, d->first);

	if (f && f->from == 0) {
		if (d->key.six)
			icmp6_send_error(s, f->word, ICMP6_TIME_EXCEEDED, 1, 0);
		else
			icmp_send_error(s, f->word, ICMP_TIME_EXCEEDED, 1, 0);
	}
	r->expired += !d->dead;
	drop_fragments(s, d, DROP_FRAGMENT_TIMEOUT);
	d->used = false;
}

void reassembly_tick(struct stack *s)
{
	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		struct reassembly_datagram *d = &s->reassembly.datagram[i];

		if (d->used && d->due_ms <= s->now_ms)
			expire(s, d);
	}
}

void reassembly_flush_port(struct stack *s, unsigned port)
{
	for (unsigned i = 0; i < REASSEMBLY_MAX; i++) {
		struct reassembly_datagram *d = &s->reassembly.datagram[i];

		if (!d->used || d->key.port != port)
			continue;
		drop_fragments(s, d, DROP_LINK_DOWN);
		d->used = false;
	}
}
