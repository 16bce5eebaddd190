/* What unit tests set and read of the platform they run on. */
#ifndef TEST_MODEL_PLATFORM_H
#define TEST_MODEL_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_BLOCKS_MAX 4096u
#define MODEL_NODES_MAX  4u

struct model_platform {
	uint64_t now_us;  /* platform_now_us; platform_relax adds to it */
	uint64_t step_us; /* each look at the clock adds this; 0: it stands still */
	void (*relax)(
		void); /* called by platform_relax, or NULL: what other cores would do meanwhile */
	void (*halted)(void); /* called by platform_reboot and _poweroff; does not return */
	int (*getc)(void);    /* the console, or NULL: no byte waits, nothing is kept, room */
	void (*write)(const char *s, size_t n);
	size_t (*room)(void);
	const char *cmdline;          /* NULL: none */
	uint8_t dca_tag;              /* of core 0, the others' follow; 0: the machine takes none */
	unsigned nodes;               /* core c is on node c mod so many; 0: one node */
	size_t near[MODEL_NODES_MAX]; /* bytes that were asked for near each node */
	size_t memory_left;           /* platform_alloc fails beyond it; 0: no limit */
	const char *watchdog;         /* its name, or NULL */
	unsigned watchdog_s, fed;     /* what it was started with; how often it was fed since */
	const char *crash;            /* the report from before the boot, or NULL */
	unsigned blocks;
	void *block[MODEL_BLOCKS_MAX];
};

extern struct model_platform model_platform;

/* Frees all that platform_alloc gave. */
void model_platform_free(void);

#endif
