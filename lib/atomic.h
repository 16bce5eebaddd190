/*
 * Named orderings for words shared between cores. On x86-64 each is a plain
 * move (SDM volume 3, 8.2.2: loads are not reordered with loads, nor stores
 * with stores); the names keep the compiler in order and state the intent.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

/* What was written before a store_release is seen by whoever load_acquires the value. */
#define load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* One untorn access without ordering: counters read by another core. */
#define load_once(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define store_once(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

/* Counters have one writer, so an increment needs no locked instruction. */
#define counter_add(p, n) store_once((p), *(p) + (n))

#define CACHE_LINE 64

#endif
