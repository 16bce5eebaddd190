/* Single trials, searches for a rate, bursts. */
#include "tools/pktgen/methods.h"

#include <string.h>

#include "tools/pktgen/say.h"

static double seconds_or(const struct options *o, double otherwise)
{
	return o->seconds > 0 ? o->seconds : otherwise;
}

static bool warm_up(struct session *x, double rate)
{
	struct trial t;

	return x->options->warmup_s <= 0 ||
	       session_trial(x, "warm-up", rate, x->options->warmup_s, 0, &t);
}

int method_run(struct session *x, const struct outputs *out)
{
	const struct options *o = x->options;
	struct trial t;
	bool whole, good;

	if (!warm_up(x, o->rate))
		return 1;
	whole = session_trial(
		x, "run", o->rate, seconds_or(o, o->packets ? 86400 : 10), o->packets, &t);
	if (!whole && !x->made)
		return 1; /* there was nobody to send to */
	if (out->text)
		report_trial(out->text, x, &t);
	if (out->json) {
		report_json(out->json, x, &t);
		fputc('\n', out->json);
	}
	good = trial_clean(&t) && (t.drains || t.all.received || !t.all.sent);
	if (o->strict)
		good &= trial_loss(&t) == 0 && !t.all.reordered && !t.all.duplicate &&
			!t.all.too_late;
	return whole && good ? 0 : 1;
}

/* ---- searches ---- */

static struct search make_search(struct session *x)
{
	const struct options *o = x->options;
	struct search s = {0};

	s.max = o->max > 0 ? o->max : session_line_rate(x->scenario);
	s.min = o->min > 0 ? o->min : s.max / 1000;
	s.precision = o->precision;
	return s;
}

#define SHORT_MOST 12u /* trials in a row that fell short, until it is no use */

/* Measures until the search is content. false: interrupted. */
static bool drive(struct session *x, const struct outputs *out, struct search *s, bool *clean)
{
	double load = 0, seconds = 0;
	unsigned shorts = 0;
	struct trial t;

	while (search_next(s, &load, &seconds)) {
		char label[64];

		snprintf(label, sizeof label, "trial %u at %.3f M/s", s->trials + 1, load / 1e6);
		if (!session_fair_trial(x, label, load, seconds, 0, &t))
			return false;
		*clean &= trial_clean(&t);
		if (out->text)
			report_line(out->text, "trial", &t);
		/* What was not offered has shown nothing: the load is what was. */
		search_note(
			s, trial_fell_short(&t) ? t.offered_pps : load, seconds, trial_loss(&t));
		shorts = trial_fell_short(&t) ? shorts + 1 : 0;
		if (shorts && load >= s->max && trial_loss(&t) == 0) {
			s->max = t.offered_pps;
			say("the generator offers %.3f M packets/s at most", s->max / 1e6);
		}
		if (shorts == SHORT_MOST) {
			say("the generator cannot offer what it should: is its core its own?");
			return false;
		}
	}
	return true;
}

static void json_search(FILE *out, const struct search *s, const char *const *name, unsigned again)
{
	fprintf(out, "{\"unit\":\"packets per second\",\"trials\":%u,\"repeated\":%u", s->trials,
		again);
	for (unsigned g = 0; g < s->goals; g++) {
		struct search_bounds b = search_result(s, g);

		fprintf(out, ",\"%s\":{\"loss\":%.6f,\"lower\":%.1f,\"upper\":%.1f}", name[g],
			s->goal[g], b.lower, b.has_upper ? b.upper : s->max);
	}
	fputs("}\n", out);
}

static int finish_search(
	struct session *x, const struct outputs *out, struct search *s, const char *const *name)
{
	bool clean = true;

	if (!warm_up(x, 0) || !drive(x, out, s, &clean))
		return 1;
	for (unsigned g = 0; out->text && g < s->goals; g++) {
		struct search_bounds b = search_result(s, g);

		fprintf(out->text, "%s: %.4f M packets/s (not %.4f), loss at most %.4f %%\n",
			name[g], b.lower / 1e6, (b.has_upper ? b.upper : s->max) / 1e6,
			100 * s->goal[g]);
	}
	if (out->json)
		json_search(out->json, s, name, x->again);
	return clean ? 0 : 1;
}

int method_throughput(struct session *x, const struct outputs *out)
{
	static const char *const name[SEARCH_GOALS] = {"throughput"};
	struct search s = make_search(x);

	s.phases = s.goals = 1;
	s.first_s = s.last_s = seconds_or(x->options, 60);
	return finish_search(x, out, &s, name);
}

static struct search make_multiple(struct session *x)
{
	struct search s = make_search(x);

	s.phases = 3;
	s.last_s = seconds_or(x->options, 10);
	s.first_s = x->options->first_s < s.last_s ? x->options->first_s : s.last_s;
	s.goals = 2;
	s.goal[1] = x->options->pdr;
	return s;
}

int method_search(struct session *x, const struct outputs *out)
{
	static const char *const name[SEARCH_GOALS] = {"ndr", "pdr"};
	struct search s = make_multiple(x);

	return finish_search(x, out, &s, name);
}

double method_ndr(struct session *x, const struct outputs *out)
{
	struct search s = make_multiple(x);
	bool clean = true;

	if (x->options->ndr > 0)
		return x->options->ndr;
	s.goals = 1;
	if (!warm_up(x, 0) || !drive(x, out, &s, &clean))
		return 0;
	return search_result(&s, 0).lower;
}

/* ---- bursts ---- */

/* The longest burst at this rate without loss, up to `most` packets. < 0: interrupted. */
static double longest_burst(struct session *x, double rate, double most, bool *clean)
{
	struct search s = {.min = 1,
		.max = most,
		.precision = x->options->precision,
		.phases = 1,
		.goals = 1,
		.last_s = 1};
	double load = 0, seconds = 0;

	while (search_next(&s, &load, &seconds)) {
		struct trial t;
		char label[64];

		snprintf(label, sizeof label, "burst of %.0f", load);
		if (!session_fair_trial(x, label, rate, most / rate + 1, (uint64_t)load, &t))
			return -1;
		*clean &= trial_clean(&t);
		search_note(&s, load, seconds, trial_loss(&t));
	}
	return search_result(&s, 0).lower;
}

int method_back_to_back(struct session *x, const struct outputs *out)
{
	const struct options *o = x->options;
	double rate = o->max > 0 ? o->max : session_line_rate(x->scenario);
	double most = rate * seconds_or(o, 2), sum = 0; /* RFC 2544 26.4: at least two seconds */
	bool clean = true;

	if (!warm_up(x, rate))
		return 1;
	for (unsigned i = 0; i < o->repeat; i++) {
		double burst = longest_burst(x, rate, most, &clean);

		if (burst < 0)
			return 1;
		if (out->text)
			fprintf(out->text, "burst %u: %.0f packets at %.4f M packets/s\n", i + 1,
				burst, rate / 1e6);
		sum += burst;
	}
	if (out->text)
		fprintf(out->text, "back-to-back: %.0f packets on average of %u\n", sum / o->repeat,
			o->repeat);
	if (out->json)
		fprintf(out->json,
			"{\"rate\":%.1f,\"back_to_back\":%.1f,\"repeats\":%u,\"most\":%.0f}\n",
			rate, sum / o->repeat, o->repeat, most);
	return clean ? 0 : 1;
}
