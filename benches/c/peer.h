// What the C peers share: inputs, the clock, and the conversation with the harness.
//
// A peer is started as `peer FOLDER` and reads commands, one a line. `load WORKLOAD SIZE` reads the inputs from the folder, runs the workload
// once, and answers `ready 0`, or `missing` and the reason. `run SECONDS` runs it again and again for so long and answers with the least seconds
// that one run took. `results` answers with the results of the last run, on one line.
#ifndef PEER_H
#define PEER_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct workload {
  const char *name;
  void (*load)(long size);
  void (*run)(void);
};

static const char *folder;
static double *results;      // what `results` answers with; a workload's `load` makes room with `keep`
static size_t results_count;

// Zeroed memory at a multiple of 64 bytes.
static void *room(size_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  void *p = aligned_alloc(64, bytes);
  if (!p) {
    fprintf(stderr, "no memory for %zu bytes\n", bytes);
    exit(1);
  }
  return memset(p, 0, bytes);
}

static double *doubles(size_t count) { return room(count * sizeof(double)); }

static void *input(const char *name, size_t bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "rb");
  void *p = room(bytes);
  if (!f || fread(p, 1, bytes, f) != bytes) {
    fprintf(stderr, "cannot read %zu bytes of %s\n", bytes, path);
    exit(1);
  }
  fclose(f);
  return p;
}

static double *input_doubles(const char *name, size_t count) { return input(name, count * sizeof(double)); }

static int32_t *input_integers(const char *name, size_t count) { return input(name, count * sizeof(int32_t)); }

static void keep(size_t count) {
  results = doubles(count);
  results_count = count;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double least_seconds(const struct workload *w, double budget) {
  double least = 1e300;
  for (double begin = now(), end = -1; end < begin + budget;) {
    double start = now();
    w->run();
    end = now();
    least = fmin(least, end - start);
  }
  return least;
}

static int converse(int argc, char **argv, const struct workload *table, const char *why_missing) {
  char line[256], name[64];
  long size;
  double budget;
  const struct workload *w = NULL;
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  folder = argv[1];
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "load %63s %ld", name, &size) == 2) {
      for (w = table; w->name && strcmp(w->name, name); w++)
        ;
      if (!w->name) {
        printf("missing %s\n", why_missing);
        w = NULL;
      } else {
        w->load(size);
        w->run(); // caches and page tables are warm from the first timed run on
        printf("ready 0\n");
      }
    } else if (w && sscanf(line, "run %lf", &budget) == 1) {
      printf("%.9g\n", least_seconds(w, budget));
    } else if (w && !strncmp(line, "results", 7)) {
      for (size_t i = 0; i < results_count; i++) printf("%.17g%c", results[i], i + 1 < results_count ? ' ' : '\n');
    } else {
      printf("missing no such command\n");
    }
    fflush(stdout);
  }
  return 0;
}

#endif
