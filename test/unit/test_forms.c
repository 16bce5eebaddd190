/* The stages of the path in all compiled forms against plain models, over random bursts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/byteorder.h"
#include "lib/hash.h"
#include "lib/words.h"
#include "net/path/flow_line.h"
#include "net/path/forward.h"
#include "net/path/rewrite.h"
#include "net/path/session_key.h"
#include "net/path/track_simple.h"
#include "test/model/frame.h"
#include "test/unit/forms.h"

#define BUFFERS  256u
#define NEXTHOPS 64u
#define TXQS     5u
#define CLASSED  2u /* classes of the ports, if they look at them */

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1}, peer[6] = {2, 0, 0, 0, 0, 2};
static forward_plain_fn *const forward_form[] = {
	forward_plain_plain, forward_plain_v3, forward_plain_v4};

static uint8_t memory[BUFFERS * PACKET_STRIDE] __attribute__((aligned(64)));
static uint8_t before[BUFFERS][256];
static uint8_t owners[BUFFERS];
static struct pool pool;
static struct buffers buffers = {.origin = {(uintptr_t)(memory + PACKET_HEADROOM)},
	.owner = owners,
	.stride = PACKET_STRIDE,
	.pool = {&pool},
	.pools = 1};
static struct vlans vlans;
static struct adjacency adjacency[NEXTHOPS];
static uint16_t place[GROUP_SPREAD];
static struct tables tables = {.vlans = &vlans, .adjacency = adjacency, .place = place};
static struct counters counters;
static struct class_map classes[PORT_MAX];
static struct crosspoint cross[TXQS];
static struct lane lane = {.buffers = &buffers,
	.tables = &tables,
	.counters = &counters,
	.classes = classes,
	.max_frame = 1514};
static struct flow_line lines[FLOW_LINES_MIN];
static struct flows flows;
static unsigned asked, echoes;    /* packets of the cache, */
static unsigned followed, of_tcp; /* and of sessions */
static struct session_bucket buckets[16];
static struct sessions sessions = {.bucket = buckets, .near_mask = 15};
static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed += 0x9e3779b97f4a7c15u;
	return (uint32_t)(hash_mix(seed) >> 32) % n;
}

/* Gives a header the ID with which its checksum is `check`. */
static void force_checksum(struct frame *f, uint16_t check)
{
	store_be16(f->data + IPV4_ID, 0);
	frame_fix_checksum(f);
	uint16_t now = load_be16(f->data + IPV4_CHECKSUM);

	store_be16(f->data + IPV4_ID, (uint16_t)(now - check - (now < check)));
	frame_fix_checksum(f);
	assert_int_equal(load_be16(f->data + IPV4_CHECKSUM), check);
}

/* A valid frame, or one with some byte of its headers wrong, or cut short. */
static void make_frame(struct frame *f)
{
	frame_udp(f, us, peer, 0x0a000000u + below(1000), 0x0b000000u + below(1000),
		below(8) ? below(200) : 1514 - 42 - 1 + below(3));
	f->data[15] = (uint8_t)below(256);
	f->data[22] = (uint8_t)(below(4) ? 64 : below(3));
	frame_fix_checksum(f);
	if (below(8) == 0) /* where the hop's end-around carry comes in */
		force_checksum(f, below(2) ? 0xfeff : 0xfdff);
	if (below(4) == 0)
		f->data[below(38)] ^= (uint8_t)(1 + below(255));
	if (below(16) == 0) /* a fragment; or not UDP */
		store_be16(f->data + IPV4_FRAGMENT, (uint16_t)(1u << below(16)));
	if (below(8) == 0)
		f->data[IPV4_PROTOCOL] = (uint8_t)(below(2) ? IPV4_TCP : below(256));
	if (below(16) == 0) { /* ICMP, an echo or not */
		f->data[IPV4_PROTOCOL] = IPV4_ICMP;
		f->data[IPV4_OFF + IPV4_HEADER] = (uint8_t)(below(3) ? below(2) * 8 : below(20));
	}
	if (below(16) == 0) /* cut off behind the header, or shortly after */
		store_be16(f->data + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + below(24)));
	if (below(2))
		frame_fix_checksum(f);
	if (below(16) == 0)
		f->len = below((uint32_t)f->len);
	else if (below(8) == 0)
		f->len += 20; /* padding */
}

/* n frames into buffers of any order. */
static void make_burst(struct batch *b, unsigned n)
{
	uint32_t first = below(BUFFERS), step = 2 * below(BUFFERS / 2) + 1;
	struct frame f;

	b->n = n;
	for (unsigned i = 0; i < n; i++) {
		uint32_t index = (first + i * step) % BUFFERS;

		make_frame(&f);
		memcpy(buffer_data(&buffers, index), f.data, sizeof before[0]);
		memcpy(before[index], f.data, sizeof before[0]);
		b->word[i] = packet_word(index, (uint32_t)f.len, 0);
	}
}

/* Ports, a group and actions; MTUs that some packets exceed. */
static void make_nexthops(void)
{
	static const uint32_t action[] = {NEXTHOP_NO_ROUTE, NEXTHOP_LOCAL, NEXTHOP_RESOLVE,
		NEXTHOP_VLAN, NEXTHOP_VLAN + 3, NEXTHOP_GROUP, NEXTHOP_ONE};

	for (unsigned i = 0; i < NEXTHOPS; i++) {
		uint32_t target = i % 4 ? below(PORT_MAX) : action[below(7)];

		for (unsigned k = 0; k < 12; k++)
			adjacency[i].mac[k] = (uint8_t)below(256);
		if (target == NEXTHOP_GROUP) {
			adjacency[i].place = 0;
			adjacency[i].mask = 7;
		}
		adjacency[i].out = target | (below(8) ? 1500 : 100) << 16;
		if (target == NEXTHOP_ONE) /* a port's */
			adjacency[i].out = target | (4 * below(NEXTHOPS / 4) + 1 + below(3)) << 16;
	}
	for (unsigned i = 0; i < 8; i++)
		place[i] = (uint16_t)(4 * below(NEXTHOPS / 4) + 1 + below(3)); /* a port's */
}

static bool is_plain(const uint8_t *f, uint32_t len)
{
	return parse_frame(&lane, f, len, lane.max_frame) == VERDICT_ROUTE && f[14] == 0x45 &&
	       f[IPV4_TTL] > 1;
}

/* What the parser must say of each frame. */
static void check_parsed(const struct batch *b, const uint64_t *word)
{
	for (unsigned i = 0; i < b->n; i++) {
		const uint8_t *f = before[packet_index(word[i])];
		uint32_t len = packet_len(word[i]);

		assert_int_equal(b->plain >> i & 1, is_plain(f, len));
		if (parse_is_tagged(f, len))
			continue;
		assert_int_equal(b->verdict[i], parse_frame(&lane, f, len, lane.max_frame));
		assert_int_equal(
			b->dst[i], b->verdict[i] == VERDICT_ROUTE ? load_be32(f + IPV4_DEST) : 0);
		uint32_t left =
			b->verdict[i] == VERDICT_ROUTE ? 14u + load_be16(f + IPV4_LENGTH) : len;

		assert_int_equal(packet_len(b->word[i]), left);
		assert_int_equal(packet_index(b->word[i]), packet_index(word[i]));
	}
	assert_int_equal(b->n < 64 ? b->plain >> b->n : 0, 0);
}

/* Of what has a key, what parsing tells of. */
static bool is_told(const uint8_t *f)
{
	uint8_t protocol = f[IPV4_PROTOCOL], type = f[IPV4_OFF + IPV4_HEADER];

	return protocol == IPV4_TCP || protocol == IPV4_UDP ||
	       (protocol == IPV4_ICMP && (type == 0 || type == 8));
}

/* The flow cache is asked for what has ports or is an echo, with the hash that it has of each. */
static void check_asked(const struct batch *b, const struct flow_ask *ask)
{
	unsigned keyed = 0;

	for (uint64_t m = b->plain; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);
		uint32_t image[16];
		bool has = is_told(b->data[i]) && flow_image(b->data[i], false, lane.port, image);

		assert_int_equal(ask->keyed >> i & 1, has);
		keyed += has;
		if (!has)
			continue;
		echoes += b->data[i][IPV4_PROTOCOL] == IPV4_ICMP;
		assert_int_equal(ask->ports[i], image[3]);
		assert_int_equal(ask->hash[i], flow_hash(&ask->flows->secret, image));
		assert_int_equal(ask->first[i], flow_first(ask->flows, ask->hash[i]) * CACHE_LINE);
	}
	assert_int_equal(b->n < 64 ? (ask->keyed & b->plain) >> b->n : 0, 0);
	asked += keyed;
}

/* Sessions are asked for each plain packet by its key, and what can be simple is known. */
static void check_tracked(const struct batch *b, const struct track_ask *ask)
{
	for (uint64_t m = b->plain; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);
		const uint8_t *f = b->data[i];
		uint32_t src = load_be32(f + IPV4_SOURCE), dst = load_be32(f + IPV4_DEST);
		uint32_t ports = load_be32(f + IPV4_OFF + IPV4_HEADER);
		uint8_t protocol = f[IPV4_PROTOCOL];
		uint64_t hash = session_hash4(sessions.seed, src, dst, ports, protocol);
		bool whole = !(load_be16(f + IPV4_FRAGMENT) & 0x3fff);
		bool tcp = whole && protocol == IPV4_TCP && b->total[i] >= 40;
		bool udp = whole && protocol == IPV4_UDP && b->total[i] >= 28;

		assert_int_equal(ask->key.src[i], src);
		assert_int_equal(ask->key.dst[i], dst);
		assert_int_equal(ask->key.ports[i], ports);
		assert_int_equal(ask->key.protocol[i], protocol);
		assert_int_equal(ask->hash.low[i], (uint32_t)hash);
		assert_int_equal(ask->hash.high[i], hash >> 32);
		assert_int_equal(ask->tcp >> i & 1, tcp);
		assert_int_equal(ask->udp >> i & 1, udp);
		followed += tcp + udp;
		of_tcp += tcp;
	}
}

/* The next hop of a packet that can be sent, or NULL. */
static const struct adjacency *model_adjacency(const struct batch *b, const uint8_t *f, uint32_t nh)
{
	const struct adjacency *a = &adjacency[nh];
	uint32_t total = load_be16(f + IPV4_LENGTH);

	if (adjacency_target(a->out) == NEXTHOP_GROUP)
		a = &adjacency[place[a->mask & hash_flow4(f + IPV4_OFF, total)]];
	else if (adjacency_target(a->out) == NEXTHOP_ONE)
		a = &adjacency[a->out >> 16];
	return adjacency_target(a->out) < NEXTHOP_VLAN && total <= adjacency_mtu(a->out) ? a : NULL;
}

/* Packet i is the next of its VOQ, rewritten and its output's; or was refused. */
static bool check_sent(const struct batch *b, unsigned i, const struct adjacency *a, uint32_t limit)
{
	uint32_t index = packet_index(b->word[i]), port = adjacency_target(a->out);
	unsigned t = lane.txq[port], class = class_of(&classes[port], before[index][15]);
	struct crosspoint *x = &cross[t];
	uint32_t *taken = &x->tail_seen[class]; /* the model's own here */
	uint8_t right[256];

	if (*taken - x->out[class].head == limit)
		return false;
	memcpy(right, before[index], sizeof right);
	rewrite_frame(right, a);
	assert_memory_equal(buffer_data(&buffers, index), right, sizeof right);
	assert_int_equal(owners[index], OWNER_OUTPUT(t));
	assert_true(x->word[class][*taken % VOQ_SLOTS] == b->word[i]);
	++*taken;
	return true;
}

static void check_forwarded(
	const struct batch *b, const uint32_t *nh, uint64_t sent, uint64_t touched, uint32_t limit)
{
	uint64_t drops = 0, outputs = 0, counted = counters.port[0].dropped[DROP_VOQ_FULL];

	for (unsigned i = 0; i < b->n; i++) {
		const uint8_t *f = before[packet_index(b->word[i])];
		const struct adjacency *a = b->plain >> i & 1 ? model_adjacency(b, f, nh[i]) : NULL;

		assert_int_equal(sent >> i & 1, a != NULL);
		if (!a) {
			assert_memory_equal(
				buffer_data(&buffers, packet_index(b->word[i])), f, 256);
			assert_int_equal(owners[packet_index(b->word[i])], OWNER_HOME);
			continue;
		}
		outputs |= UINT64_C(1) << lane.txq[adjacency_target(a->out)];
		drops += !check_sent(b, i, a, limit);
	}
	assert_int_equal(drops, counted);
	assert_true(touched == outputs);
	for (unsigned t = 0; t < TXQS; t++)
		for (unsigned class = 0; class < VOQ_CLASSES; class ++)
			assert_int_equal(cross[t].in.pending[class], cross[t].tail_seen[class]);
}

/* VOQs that have come anywhere round, and hold something. */
static void fill_voqs(void)
{
	for (unsigned t = 0; t < TXQS; t++) {
		voq_init(&cross[t]);
		for (unsigned class = 0; class < VOQ_CLASSES; class ++) {
			struct crosspoint *x = &cross[t];
			uint32_t head = below(2) ? 0u - below(30) : VOQ_SLOTS - below(30);

			x->out[class].head = x->in.head_seen[class] = head;
			x->in.pending[class] = x->tail_seen[class] = head + below(12);
		}
	}
}

static void burst(unsigned form)
{
	struct flow_ask ask = {.flows = &flows};
	struct track_ask track = {.sessions = &sessions};
	unsigned who = below(3);
	struct batch b = {.ask = who == 1 ? &ask : NULL, .track = who == 2 ? &track : NULL};
	uint64_t word[BATCH_MAX], touched = 0;
	uint32_t nh[BATCH_MAX] = {0}, limit = below(2) ? VOQ_SLOTS : 12 + below(30);

	memset(owners, OWNER_HOME, sizeof owners);
	memset(&counters, 0, sizeof counters);
	pool.top = 0;
	make_nexthops();
	fill_voqs();
	make_burst(&b, 1 + below(BATCH_MAX));
	memcpy(word, b.word, sizeof word);
	parse_batch(&lane, &b, b.word, b.n);
	check_parsed(&b, word);
	if (b.ask)
		check_asked(&b, &ask);
	if (b.track)
		check_tracked(&b, &track);
	for (unsigned i = 0; i < b.n; i++)
		nh[i] = b.nh[i] = below(NEXTHOPS);
	uint64_t sent = forward_form[form](&lane, &b, limit, &touched);

	check_forwarded(&b, nh, sent, touched, limit);
}

static void test_bursts(void **state)
{
	flow_init(&flows, lines, FLOW_LINES_MIN, 7);
	for (unsigned i = 0; i < sizeof sessions.seed / sizeof *sessions.seed; i++)
		sessions.seed[i] = hash_mix(i + 1);
	asked = echoes = followed = of_tcp = 0;
	memcpy(lane.mac, us, 6);
	for (unsigned t = 0; t < TXQS; t++)
		lane.cross[t] = &cross[t];
	for (unsigned form = 0; form < forms_here(); form++) {
		parse_select(forms[form]);
		for (unsigned k = 0; k < 900; k++) {
			lane.one_class = k & 1;
			for (unsigned p = 0, outputs = 1 + below(TXQS); p < PORT_MAX; p++) {
				lane.txq[p] = (uint8_t)(p % outputs);
				memset(classes[p].of_dscp, lane.one_class ? 0 : p % (CLASSED + 1),
					DSCP_COUNT / 2);
			}
			burst(form);
		}
		assert_true(asked > 4000 && echoes > 60);
		assert_true(followed > 4000 && of_tcp > 100);
		asked = echoes = followed = of_tcp = 0;
	}
}

/* Nothing of a disabled port is plain. */
static void test_disabled(void **state)
{
	struct batch b = {.n = 0};

	for (unsigned form = 0; form < forms_here(); form++) {
		parse_select(forms[form]);
		make_burst(&b, BATCH_MAX);
		lane.disabled = true;
		parse_batch(&lane, &b, b.word, b.n);
		lane.disabled = false;
		assert_true(b.plain == 0);
		assert_int_equal(b.ended, BATCH_MAX);
	}
}

static void test_words(void **state)
{
	uint64_t word[BATCH_MAX + 1], copied[BATCH_MAX + 1];
	uint32_t index[BATCH_MAX + 1];

	for (unsigned k = 0; k < 3000; k++) {
		unsigned n = 1 + below(BATCH_MAX), same = 1 + below(n), bytes = 0;

		words_select(forms[k % forms_here()]);
		for (unsigned i = 0; i < n; i++) {
			uint32_t home = i < same ? 3 : 3 + below(2) + (i == same);

			word[i] = packet_word(
				home << POOL_SHIFT | below(POOL_BUFS), below(9018), below(65536));
			bytes += packet_len(word[i]);
		}
		copied[n] = 0xabcd;
		index[n] = 0x1234;
		assert_int_equal(words_bytes(word, n), bytes);
		assert_int_equal(words_copy(copied, word, n), bytes);
		assert_memory_equal(copied, word, n * sizeof *word);
		words_indices(index, word, n);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(index[i], packet_index(word[i]));
		assert_int_equal(words_one_pool(word, n), same);
		assert_true(copied[n] == 0xabcd && index[n] == 0x1234); /* not one too many */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
