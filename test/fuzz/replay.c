/* Runs a harness over files without a fuzzer: those named, or its seeds. Part of `make check`. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/fuzz/fuzz.h"

#define INPUT_MAX (1u << 20)
#define SEEDS     "test/fuzz/seeds"

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	static uint8_t buffer[INPUT_MAX];
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(buffer, 1, sizeof buffer, f);
	fclose(f);
	/* Exactly as long as the input, so that a step beyond is seen. */
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		abort();
	memcpy(exact, buffer, n);
	fprintf(stderr, "%s\n", path); /* shown if it fails */
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static unsigned run_folder(const char *path)
{
	DIR *d = opendir(path);
	unsigned files = 0;

	if (!d) {
		perror(path);
		exit(1);
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char name[600];

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		run_file(name);
		files++;
	}
	closedir(d);
	return files;
}

/* fuzz_acpi's seeds are in acpi/. */
static unsigned run_seeds(const char *program)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
	char path[300];

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(path, sizeof path, SEEDS "/%s", name);
	return run_folder(path);
}

int main(int argc, char **argv)
{
	unsigned files = 0;

	for (int i = 1; i < argc; i++, files++)
		run_file(argv[i]);
	if (argc == 1)
		files = run_seeds(argv[0]);
	if (files == 0) {
		fprintf(stderr, "%s: no seeds\n", argv[0]);
		return 1;
	}
	printf("[       OK ] %u inputs\n", files);
	return 0;
}
