/* Multicast listener discovery: which groups the link knows that we listen to, and when it hears.
 */
#include "net/proto/mld.h"

#include <string.h>

#include "net/proto/internal.h"

static void forget(struct mld_port *p)
{
	*p = (struct mld_port){
		.answer_ms = MLD_NEVER, .repeat_ms = MLD_NEVER, .robustness = MLD_ROBUSTNESS};
}

void mld_init(struct stack *s)
{
	memset(&s->mld, 0, sizeof s->mld);
	for (unsigned port = 0; port < IFACE_MAX; port++)
		forget(&s->mld.port[port]);
}

void mld_stop(struct stack *s, unsigned port)
{
	forget(&s->mld.port[port]);
}

static struct mld_group *group_find(struct mld_port *p, struct ip6 group)
{
	for (unsigned k = 0; k < p->groups; k++)
		if (ip6_equal(p->group[k].group, group))
			return &p->group[k];
	return NULL;
}

static void group_remove(struct mld_port *p, struct mld_group *g)
{
	*g = p->group[--p->groups];
}

/* ---- changes ---- */

/* What is still to be told of each group, once; then those that were left are forgotten. */
static void tell_changes(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];
	struct mld_report r = {.len = 0};
	bool more = false;

	if (!p->v1)
		mld_report_begin(s, &r);
	for (unsigned k = 0; k < p->groups; k++) {
		struct mld_group *g = &p->group[k];

		if (g->repeats == 0)
			continue;
		if (!p->v1)
			mld_report_add(
				&r, g->joined ? MLD_TO_EXCLUDE : MLD_TO_INCLUDE, g->group, NULL, 0);
		else
			mld1_send(s, port, g->joined ? MLD1_REPORT : MLD1_DONE, g->group);
		/* RFC 2710 4: that a group was left is said once. */
		g->repeats = p->v1 && !g->joined ? 0 : (uint8_t)(g->repeats - 1);
		more |= g->repeats > 0;
	}
	mld_report_send(s, port, &r);
	for (unsigned k = p->groups; k-- > 0;)
		if (!p->group[k].joined && p->group[k].repeats == 0)
			group_remove(p, &p->group[k]);
	p->repeat_ms =
		more ? s->now_ms + 1 +
				stack_random(s, p->v1 ? MLD1_UNSOLICITED_MS : MLD_UNSOLICITED_MS)
		     : MLD_NEVER;
}

/* A place for one more group; if there is none, one that was left goes untold. */
static struct mld_group *group_place(struct mld_port *p)
{
	for (unsigned k = p->groups; p->groups == MLD_GROUPS && k-- > 0;)
		if (!p->group[k].joined)
			group_remove(p, &p->group[k]);
	return p->groups < MLD_GROUPS ? &p->group[p->groups++] : NULL;
}

/* true: it is news. */
static bool join(struct mld_port *p, struct ip6 group)
{
	struct mld_group *g = group_find(p, group);

	if (g && g->joined)
		return false;
	if (!g)
		g = group_place(p);
	if (!g)
		return false;
	*g = (struct mld_group){
		.group = group, .due_ms = MLD_NEVER, .joined = true, .repeats = p->robustness};
	return true;
}

static bool is_among(const struct ip6 *group, unsigned n, struct ip6 wanted)
{
	while (n > 0 && !ip6_equal(group[n - 1], wanted))
		n--;
	return n > 0;
}

/* Joins and leaves what the interface has begun and ceased to listen to. true: something changed.
 */
static bool follow(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];
	struct ip6 wanted[IFACE6_GROUPS];
	unsigned n = iface6_groups(&s->iface[port], s->now_ms, wanted);
	bool changed = false;

	for (unsigned k = 0; k < p->groups; k++) {
		struct mld_group *g = &p->group[k];

		if (!g->joined || is_among(wanted, n, g->group))
			continue;
		g->joined = false;
		g->due_ms = MLD_NEVER;
		g->repeats = p->robustness;
		changed = true;
	}
	for (unsigned k = 0; k < n; k++)
		changed |= join(p, wanted[k]);
	return changed;
}

/* RFC 3590 4: routers do not believe what came without a source, so all is said again. */
static bool has_got_name(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];
	bool before = p->named;

	p->named = iface6_link_source(&s->iface[port]) != NULL;
	if (!p->named || before)
		return false;
	for (unsigned k = 0; k < p->groups; k++)
		p->group[k].repeats = p->robustness;
	return p->groups > 0;
}

void mld_farewell(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];

	for (unsigned k = 0; k < p->groups; k++) {
		p->group[k].joined = false;
		p->group[k].repeats = 1;
	}
	if (p->groups)
		tell_changes(s, port);
	forget(p);
}

/* ---- answers ---- */

static void forget_answers(struct mld_port *p)
{
	p->answer_ms = p->repeat_ms = MLD_NEVER;
	p->sources = 0;
	for (unsigned k = p->groups; k-- > 0;) {
		p->group[k].due_ms = MLD_NEVER;
		p->group[k].repeats = 0;
		if (!p->group[k].joined)
			group_remove(p, &p->group[k]);
	}
}

/* The sources asked for are of this group, and still to be answered for. */
static bool has_sources(const struct mld_port *p, const struct mld_group *g)
{
	return p->sources && ip6_equal(p->asked, g->group);
}

/* RFC 3810 6.3: all sources, or those asked for. */
static void answer_for(struct stack *s, unsigned port, const struct mld_group *g)
{
	struct mld_port *p = &s->mld.port[port];
	struct mld_report r;

	if (p->v1) {
		mld1_send(s, port, MLD1_REPORT, g->group);
		return;
	}
	mld_report_begin(s, &r);
	if (has_sources(p, g))
		mld_report_add(&r, MLD_IS_INCLUDE, g->group, p->source, p->sources);
	else
		mld_report_add(&r, MLD_IS_EXCLUDE, g->group, NULL, 0);
	mld_report_send(s, port, &r);
	if (has_sources(p, g))
		p->sources = 0;
}

static void answer_for_all(struct stack *s, unsigned port)
{
	const struct mld_port *p = &s->mld.port[port];
	struct mld_report r;

	mld_report_begin(s, &r);
	for (unsigned k = 0; k < p->groups; k++)
		if (p->group[k].joined)
			mld_report_add(&r, MLD_IS_EXCLUDE, p->group[k].group, NULL, 0);
	mld_report_send(s, port, &r);
}

static void answer(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];

	if (p->answer_ms <= s->now_ms) {
		p->answer_ms = MLD_NEVER;
		answer_for_all(s, port);
	}
	for (unsigned k = 0; k < p->groups; k++) {
		if (p->group[k].due_ms > s->now_ms)
			continue;
		p->group[k].due_ms = MLD_NEVER;
		answer_for(s, port, &p->group[k]);
	}
}

void mld_tick(struct stack *s, unsigned port)
{
	struct mld_port *p = &s->mld.port[port];
	bool news;

	if (!iface6_has_link(&s->iface[port]) && p->groups == 0)
		return;
	if (p->v1 && p->v1_ms <= s->now_ms) { /* RFC 3810 8.2.1 */
		p->v1 = false;
		forget_answers(p);
	}
	news = follow(s, port);
	news |= has_got_name(s, port);
	if (news || p->repeat_ms <= s->now_ms)
		tell_changes(s, port);
	answer(s, port);
}

/* ---- queries ---- */

/* Remembers what sources are asked for; if that is too much, all of them. */
static void ask_sources(struct mld_port *p, const struct mld_group *g, const struct mld_message *m)
{
	bool pending = g->due_ms != MLD_NEVER;

	if (m->sources && !pending) {
		p->asked = g->group;
		p->sources = 0;
	} else if (!has_sources(p, g)) {
		return; /* the answer is that all are listened to: RFC 3810 6.2, rule 4 */
	}
	if (m->sources == 0 || p->sources + m->sources > MLD_SOURCES) {
		p->sources = 0;
		return;
	}
	for (unsigned k = 0; k < m->sources; k++) {
		struct ip6 source = ip6_load(m->source + k * sizeof source);

		if (!is_among(p->source, p->sources, source))
			p->source[p->sources++] = source;
	}
}

/* RFC 3810 6.2: when an answer goes, if one that says as much does not go before. */
static void query_all(struct stack *s, struct mld_port *p, uint32_t delay_ms)
{
	uint64_t due = s->now_ms + stack_random(s, delay_ms);

	if (!p->v1) {
		p->answer_ms = due < p->answer_ms ? due : p->answer_ms;
		return;
	}
	for (unsigned k = 0; k < p->groups; k++) { /* RFC 2710 4: each by itself */
		struct mld_group *g = &p->group[k];

		due = s->now_ms + stack_random(s, delay_ms);
		if (g->joined && due < g->due_ms)
			g->due_ms = due;
	}
}

static void query_group(struct stack *s, struct mld_port *p, const struct mld_message *m)
{
	struct mld_group *g = group_find(p, m->group);
	uint64_t due = s->now_ms + stack_random(s, m->delay_ms);

	if (!g || !g->joined || p->answer_ms <= due)
		return;
	if (!p->v1)
		ask_sources(p, g, m);
	if (due < g->due_ms)
		g->due_ms = due;
}

static void query_input(struct stack *s, struct mld_port *p, const struct mld_message *m)
{
	s->mld.queries++;
	if (p->groups == 0)
		return;
	if (m->version == 1) { /* RFC 3810 8.2.1 */
		if (!p->v1)
			forget_answers(p);
		p->v1 = true;
		p->v1_ms = s->now_ms + MLD1_PRESENT_MS;
	} else if (m->robustness) {
		p->robustness = m->robustness;
	}
	if (ip6_is_zero(m->group))
		query_all(s, p, m->delay_ms);
	else
		query_group(s, p, m);
}

/* RFC 2710 4: another has answered for the group. */
static void report_heard(struct stack *s, struct mld_port *p, struct ip6 group)
{
	struct mld_group *g = group_find(p, group);

	s->mld.reports_heard++;
	if (p->v1 && g)
		g->due_ms = MLD_NEVER;
}

void mld_input(struct stack *s, uint64_t word, uint32_t at)
{
	const uint8_t *frame = frame_of(s, word);
	unsigned port = s->ops->ingress(s->ctx, word);
	struct mld_message m;

	if (port >= s->ifaces ||
		!mld_parse(frame, at, ETH_HEADER + ipv6_total_len(frame) - at, &m)) {
		s->ops->drop(s->ctx, word, DROP_MLD_MALFORMED);
		return;
	}
	if (m.type == MLD_QUERY)
		query_input(s, &s->mld.port[port], &m);
	else
		report_heard(s, &s->mld.port[port], m.group);
	s->ops->deliver(s->ctx, word);
}
