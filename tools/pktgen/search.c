/* Bounds from what was measured, and from them what to measure next. */
#include "tools/pktgen/search.h"

#include <math.h>

static double phase_seconds(const struct search *s, unsigned phase)
{
	if (s->phases == 1)
		return s->last_s;
	return s->first_s * pow(s->last_s / s->first_s, (double)phase / (s->phases - 1));
}

/* Each phase halves the width that the one before was content with. */
static double phase_width(const struct search *s, unsigned phase)
{
	return s->precision * (double)(1u << (s->phases - 1 - phase));
}

/* Of trials at least that long. */
static struct search_bounds bounds(const struct search *s, double goal, double seconds)
{
	struct search_bounds b = {0, 0, false, false};

	for (unsigned i = 0; i < s->trials; i++) {
		const struct search_trial *t = &s->trial[i];

		if (t->seconds >= seconds * 0.999 && t->loss > goal &&
			(!b.has_upper || t->load < b.upper)) {
			b.upper = t->load;
			b.has_upper = true;
		}
	}
	for (unsigned i = 0; i < s->trials; i++) {
		const struct search_trial *t = &s->trial[i];

		if (t->seconds >= seconds * 0.999 && t->loss <= goal && t->load > b.lower &&
			(!b.has_upper || t->load < b.upper)) {
			b.lower = t->load;
			b.has_lower = true;
		}
	}
	return b;
}

/* Trials of this phase that were good, or bad, for the goal: how far a step goes next. */
static unsigned steps(const struct search *s, double goal, double seconds, bool good)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->trials; i++)
		n += s->trial[i].seconds >= seconds * 0.999 && (s->trial[i].loss <= goal) == good;
	return n < 16 ? n : 16;
}

static double within(const struct search *s, double load)
{
	return load < s->min ? s->min : load > s->max ? s->max : load;
}

/* Where the first trial of a phase is: where the phase before has its lower bound. */
static double first_load(const struct search *s, double goal, unsigned phase)
{
	struct search_bounds b;

	if (phase == 0)
		return s->max;
	b = bounds(s, goal, phase_seconds(s, phase - 1));
	return within(s, b.has_lower ? b.lower : s->min);
}

/* A load was bad and none is known to be good: what came through then, or a step down. */
static double below(const struct search *s, double goal, unsigned phase, double upper)
{
	double seconds = phase_seconds(s, phase), width = phase_width(s, phase);
	double step = width * (double)(1u << steps(s, goal, seconds, false));

	if (s->phases > 1)
		for (unsigned i = 0; i < s->trials; i++) {
			const struct search_trial *t = &s->trial[i];
			double through = t->load * (1 - t->loss);

			if (t->load == upper && through < upper && through > upper * (1 - step))
				return within(s, through);
			if (t->load == upper && phase == 0 && s->trials == 1)
				return within(s, through);
		}
	else
		return within(s, (s->min + upper) / 2);
	return within(s, step < 0.5 ? upper * (1 - step) : upper / 2);
}

/* A load to be measured in this phase for this goal. false: it is settled. */
static bool candidate(const struct search *s, double goal, unsigned phase, double *load)
{
	double seconds = phase_seconds(s, phase), width = phase_width(s, phase);
	struct search_bounds b = bounds(s, goal, seconds);

	if (!b.has_lower && !b.has_upper) {
		*load = first_load(s, goal, phase);
	} else if (!b.has_upper) {
		if (b.lower >= s->max)
			return false;
		*load = within(
			s, b.lower * (1 + width * (double)(1u << steps(s, goal, seconds, true))));
	} else if (!b.has_lower) {
		if (b.upper <= s->min)
			return false;
		*load = below(s, goal, phase, b.upper);
	} else {
		if (b.upper - b.lower <= b.upper * width)
			return false;
		*load = s->phases == 1 ? (b.lower + b.upper) / 2 : sqrt(b.lower * b.upper);
	}
	return true;
}

bool search_next(const struct search *s, double *load, double *seconds)
{
	if (s->trials == SEARCH_TRIALS)
		return false;
	for (unsigned phase = 0; phase < s->phases; phase++)
		for (unsigned g = 0; g < s->goals; g++)
			if (candidate(s, s->goal[g], phase, load)) {
				*seconds = phase_seconds(s, phase);
				return true;
			}
	return false;
}

void search_note(struct search *s, double load, double seconds, double loss)
{
	if (s->trials < SEARCH_TRIALS)
		s->trial[s->trials++] = (struct search_trial){load, seconds, loss};
}

struct search_bounds search_result(const struct search *s, unsigned goal)
{
	return bounds(s, s->goal[goal], s->last_s);
}
