/* Latency at parts of the no-drop rate, as numbers and as a picture. */
#include <math.h>
#include <string.h>

#include "tools/pktgen/methods.h"
#include "tools/pktgen/say.h"

#define POINTS_MAX 32u

/* A load that was measured. */
struct point {
	double part; /* of the no-drop rate */
	struct trial trial;
};

static bool measure(struct session *x, const struct outputs *out, double ndr, const double *part,
	unsigned n, struct point *point)
{
	double seconds = x->options->seconds > 0 ? x->options->seconds : 5;

	for (unsigned i = 0; i < n; i++) {
		char label[32];

		snprintf(label, sizeof label, "%.0f %% of %.3f M/s", 100 * part[i], ndr / 1e6);
		point[i].part = part[i];
		if (!session_fair_trial(x, label, ndr * part[i], seconds, 0, &point[i].trial))
			return false;
		if (out->text)
			report_line(out->text, label, &point[i].trial);
	}
	return true;
}

static void json_points(
	FILE *out, const struct session *x, double ndr, const struct point *p, unsigned n)
{
	fprintf(out, "{\"ndr\":%.1f,\"loads\":[", ndr);
	for (unsigned i = 0; i < n; i++) {
		fprintf(out, "%s{\"part\":%.3f,\"trial\":", i ? "," : "", p[i].part);
		report_json(out, x, &p[i].trial);
		fputc('}', out);
	}
	fputs("]}\n", out);
}

/* Not more than what is known: all packets came back right. */
static bool all_clean(const struct point *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!trial_clean(&p[i].trial))
			return false;
	return true;
}

static double known_ndr(struct session *x, const struct outputs *out)
{
	double ndr = method_ndr(x, out);

	if (ndr <= 0)
		say("there is no rate without loss to measure latency at");
	return ndr;
}

static struct point points[POINTS_MAX];

int method_latency(struct session *x, const struct outputs *out)
{
	static const double part[] = {0.1, 0.5, 0.9};
	double ndr = known_ndr(x, out);

	if (ndr <= 0 || !measure(x, out, ndr, part, 3, points))
		return 1;
	for (unsigned i = 0; out->text && i < 3; i++) {
		const struct trial_latency *l = &points[i].trial.all.latency;

		fprintf(out->text, "latency at %.0f %%: mean %.2f", 100 * part[i], l->mean_us);
		for (unsigned k = 0; k < TRIAL_QUANTILES; k++)
			fprintf(out->text, " %s %.2f", trial_quantile_name[k], l->us[k]);
		fprintf(out->text, " max %.2f us\n", l->max_us);
	}
	if (out->json)
		json_points(out->json, x, ndr, points, 3);
	return all_clean(points, 3) ? 0 : 1;
}

/* ---- the picture ---- */

static void draw_line(FILE *g, const struct point *p, unsigned n, unsigned quantile)
{
	for (unsigned i = 0; i < n; i++) {
		const struct trial_latency *l = &p[i].trial.all.latency;

		fprintf(g, "%.6f %.3f\n", p[i].trial.offered_pps / 1e6,
			quantile < TRIAL_QUANTILES ? l->us[quantile] : l->max_us);
	}
	fputs("e\n", g);
}

/* false: gnuplot is not there, or failed. */
static bool draw(const char *file, double ndr, const struct point *p, unsigned n)
{
	FILE *g = strpbrk(file, "'\"\\\n") ? NULL : popen("gnuplot", "w");

	if (!g)
		return false;
	fprintf(g,
		"set terminal png size 900,540\nset output '%s'\nset logscale y\nset grid\n"
		"set key top left\nset xlabel 'offered load, million packets/s'\n"
		"set ylabel 'latency, microseconds'\nset xrange [0:*]\n"
		"set arrow from %.6f, graph 0 to %.6f, graph 1 nohead dashtype 2\nplot ",
		file, ndr / 1e6, ndr / 1e6);
	for (unsigned q = 0; q <= TRIAL_QUANTILES; q++)
		fprintf(g, "'-' with linespoints title '%s'%s",
			q < TRIAL_QUANTILES ? trial_quantile_name[q] : "max",
			q < TRIAL_QUANTILES ? ", " : "\n");
	for (unsigned q = 0; q <= TRIAL_QUANTILES; q++)
		draw_line(g, p, n, q);
	return pclose(g) == 0;
}

int method_plot(struct session *x, const struct outputs *out)
{
	static const double part[] = {
		0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1};
	unsigned n = sizeof part / sizeof *part;
	double ndr = known_ndr(x, out);

	if (ndr <= 0 || !measure(x, out, ndr, part, n, points))
		return 1;
	if (out->json)
		json_points(out->json, x, ndr, points, n);
	if (!draw(x->options->plot, ndr, points, n)) {
		say("gnuplot made no picture of it: is gnuplot-nox installed?");
		return 1;
	}
	return all_clean(points, n) ? 0 : 1;
}
