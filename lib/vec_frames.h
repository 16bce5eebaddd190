/* Where the frames of packet words are, a vector of words at a time. See vec.h. */
#ifndef LIB_VEC_FRAMES_H
#define LIB_VEC_FRAMES_H

#include "lib/pool.h"
#include "lib/vec_words.h"

/* Of n words, all of one pool; as many are read and written as whole vectors hold. */
VEC_INLINE void vec_frames(
	const struct buffers *buffers, const uint64_t *word, unsigned n, uint8_t **frame)
{
	uint64_t origin = buffers->origin[packet_pool(word[0])];
	uint32_t stride = buffers->stride;

	for (unsigned i = 0; i < n; i += VEC_WORDS) {
		vec_words at = vec_words_product32(vec_words_load(word + i), stride) + origin;

		memcpy(frame + i, &at, sizeof at);
	}
}

#endif
