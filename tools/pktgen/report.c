/* Results of trials in words and in JSON. */
#include "tools/pktgen/report.h"

#include <inttypes.h>

/* ---- text ---- */

static void print_faults(FILE *out, const struct trial_stream *s)
{
	for (unsigned i = 0; i < FAULTS; i++)
		if (s->fault[i])
			fprintf(out, " %s %" PRIu64, fault_name[i], s->fault[i]);
}

static void print_latency(FILE *out, const struct trial_latency *l)
{
	if (!l->samples)
		return;
	fprintf(out, "  latency us: mean %.2f", l->mean_us);
	for (unsigned i = 0; i < TRIAL_QUANTILES; i++)
		fprintf(out, " %s %.2f", trial_quantile_name[i], l->us[i]);
	fprintf(out, " max %.2f\n", l->max_us);
}

static void print_stream(FILE *out, const char *name, const struct trial_stream *s, bool drains)
{
	fprintf(out, "%s: sent %" PRIu64, name, s->sent);
	if (s->unplaced)
		fprintf(out, " unplaced %" PRIu64, s->unplaced);
	if (s->forgiven)
		fprintf(out, " forgiven %" PRIu64, s->forgiven);
	if (!drains)
		fprintf(out,
			" received %" PRIu64 " lost %" PRIu64 " reordered %" PRIu64
			" duplicate %" PRIu64 " too-late %" PRIu64 " faulty %" PRIu64,
			s->received, s->lost, s->reordered, s->duplicate, s->too_late, s->faulty);
	print_faults(out, s);
	fputc('\n', out);
	print_latency(out, &s->latency);
}

void report_trial(FILE *out, const struct session *x, const struct trial *t)
{
	fprintf(out, "%.3f s, offered %.3f M packets/s (%.3f Gbit/s of frames)", t->seconds,
		t->offered_pps / 1e6,
		t->seconds > 0 ? (double)t->all.sent_bytes * 8 / t->seconds / 1e9 : 0);
	if (!t->drains)
		fprintf(out, ", received %.3f M packets/s, loss %.6f %%", t->received_pps / 1e6,
			100 * trial_loss(t));
	fprintf(out, "%s\n", t->interrupted ? ", INTERRUPTED" : "");
	for (unsigned i = 0; i < t->streams; i++)
		print_stream(out, x->scenario->stream[i].name, &t->stream[i], t->drains);
	if (t->streams > 1)
		print_stream(out, "all", &t->all, t->drains);
	fprintf(out,
		"corrupt %" PRIu64 " of-earlier-trials %" PRIu64 " foreign %" PRIu64
		" too-short %" PRIu64 "\n",
		t->corrupt, t->stale, t->foreign, t->shortest);
	fprintf(out, "10 ms windows, M packets/s: p10 %.3f p50 %.3f p90 %.3f\n", t->window[0] / 1e6,
		t->window[1] / 1e6, t->window[2] / 1e6);
	fprintf(out,
		"generator: %.1f ticks to send a packet, %.1f to verify one; %" PRIu64
		" stalls, %.0f us\n",
		t->send_ticks, t->sink_ticks, t->stalls, t->stall_us);
}

void report_line(FILE *out, const char *label, const struct trial *t)
{
	fprintf(out,
		"%s %.3f s at %.4f M/s: received %.4f M/s, loss %.6f %%, p50 %.2f p99 %.2f us\n",
		label, t->seconds, t->offered_pps / 1e6, t->received_pps / 1e6, 100 * trial_loss(t),
		t->all.latency.us[0], t->all.latency.us[2]);
}

/* ---- JSON ---- */

/* Names have no blanks and quotes are left out: text of a user's making. */
static void json_name(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name; name++)
		if ((unsigned char)*name >= ' ' && *name != '"' && *name != '\\')
			fputc(*name, out);
	fputc('"', out);
}

static void json_stream(FILE *out, const struct trial_stream *s)
{
	fprintf(out,
		"{\"sent\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"unplaced\":%" PRIu64
		",\"forgiven\":%" PRIu64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
		",\"reordered\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"too_late\":%" PRIu64
		",\"faulty\":%" PRIu64 ",\"faults\":{",
		s->sent, s->sent_bytes, s->unplaced, s->forgiven, s->received, s->lost,
		s->reordered, s->duplicate, s->too_late, s->faulty);
	for (unsigned i = 0; i < FAULTS; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", fault_name[i], s->fault[i]);
	fprintf(out, "},\"latency_us\":{\"samples\":%" PRIu64 ",\"mean\":%.3f", s->latency.samples,
		s->latency.mean_us);
	for (unsigned i = 0; i < TRIAL_QUANTILES; i++)
		fprintf(out, ",\"%s\":%.3f", trial_quantile_name[i], s->latency.us[i]);
	fprintf(out, ",\"max\":%.3f}}", s->latency.max_us);
}

void report_json(FILE *out, const struct session *x, const struct trial *t)
{
	fprintf(out,
		"{\"seconds\":%.6f,\"rate\":%.1f,\"offered_pps\":%.1f,\"received_pps\":%.1f,"
		"\"loss\":%.9f,\"interrupted\":%s,\"corrupt\":%" PRIu64 ",\"stale\":%" PRIu64
		",\"foreign\":%" PRIu64 ",\"too_short\":%" PRIu64 ",",
		t->seconds, t->rate, t->offered_pps, t->received_pps, trial_loss(t),
		t->interrupted ? "true" : "false", t->corrupt, t->stale, t->foreign, t->shortest);
	fprintf(out,
		"\"window_pps\":{\"p10\":%.1f,\"p50\":%.1f,\"p90\":%.1f},\"send_ticks\":%.2f,"
		"\"verify_ticks\":%.2f,\"stalls\":%" PRIu64 ",\"stall_us\":%.1f,\"all\":",
		t->window[0], t->window[1], t->window[2], t->send_ticks, t->sink_ticks, t->stalls,
		t->stall_us);
	json_stream(out, &t->all);
	fputs(",\"streams\":{", out);
	for (unsigned i = 0; i < t->streams; i++) {
		fputs(i ? "," : "", out);
		json_name(out, x->scenario->stream[i].name);
		fputc(':', out);
		json_stream(out, &t->stream[i]);
	}
	fputs("}}", out);
}
