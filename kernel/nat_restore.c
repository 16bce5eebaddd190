/* NAT undone: a packet that cannot be delivered becomes again what its sender sent. */
#include "kernel/nat.h"

#include "kernel/platform.h"
#include "kernel/router.h"
#include "net/path/translate.h"

/* The session of a worker in which packets of this key come in: a copy, of which *way is theirs. */
static bool copy_of(const struct sessions *s, const struct flow_key *key, struct session_view *view,
	unsigned *way)
{
	const struct way *found = session_find(s, key);
	uint32_t now = session_tick(platform_tsc());

	if (!found || !session_copy(s, session_way_number(s, found) / 2, now, view))
		return false;
	*way = flow_key_equal(&view->key[1], key);
	return flow_key_equal(&view->key[*way], key);
}

bool nats_restore(const struct router *r, uint8_t *frame)
{
	struct way undo = {0};
	struct session_view view;
	struct flow_key key, back;
	enum flow_form form;
	unsigned way;
	uint32_t at;

	form = flow_key4(frame, &key, &at);
	if ((form != FLOW_WHOLE && form != FLOW_FIRST) || !flow_key_back(&key, &back))
		return false; /* a later fragment or an ICMP error: no error is sent about these */
	for (unsigned a = 1; a < r->actors; a++) {
		if (!r->sessions[a] || !copy_of(r->sessions[a], &back, &view, &way))
			continue;
		undo.protocol = key.protocol;
		translate_prepare(&undo, &key, &view.key[!way]);
		if (undo.flags & WAY_REWRITE)
			translate_frame(frame, at, &undo);
		return true;
	}
	return false;
}
