/* Convolutions of known networks, one image, at shares of their weights: the runtime's sparse
 * kernels against oneDNN's dense ones, in turns, with their outputs compared.
 *
 *   bench_layers [--set alexnet|layers|pointwise] [--weights fastest|lists|dense] [--percent N]
 *                [--structure unstructured|blocks|columns|n-of-m] [--threads N] [--ms N] [--json]
 *
 * layers.h has the sets. Where a layer runs at several shares, it is told from which one on dense
 * is faster. --percent: keep that many instead. --structure: of what stays, blocks of 4 filters by
 * one weight, columns of all filters, or n of every 4 weights. --ms: of each case.
 *
 * Roofline: of each case the time that its multiply-adds take at the peak, and its bytes, each
 * once, at the memory's speed. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "hardware/break_even.h"
#include "layers.h"
#include "options.h"
#include "peak.h"

#define WAYS 3
static const char *const ways[WAYS] = {[ADMMNN_RUNTIME_FASTEST] = "fastest",
                                       [ADMMNN_RUNTIME_LISTS] = "lists",
                                       [ADMMNN_RUNTIME_DENSE] = "dense"};

static const char *const structures[] = {[SINGLE_UNSTRUCTURED] = "unstructured",
                                         [SINGLE_BLOCKS] = "blocks",
                                         [SINGLE_COLUMNS] = "columns",
                                         [SINGLE_N_OF_M] = "n-of-m"};
#define STRUCTURES (sizeof structures / sizeof structures[0])

typedef struct options {
    const char *set, *weights, *structure;
    unsigned percent, threads, ms;
    bool json;
} options;

typedef struct bench {
    const options *o;
    double flops, bandwidth;                          /* the machine's, a second */
    double medians[SINGLE_WAYS], leasts[SINGLE_WAYS]; /* seconds of all cases */
} bench;

/* A case's work, and what the machine needs for it at least. */
typedef struct roof {
    double multiplications, bytes; /* by the runtime */
    double arithmetic, memory;     /* seconds */
} roof;

static roof roof_of(const bench *b, const single *s) {
    roof r = {.multiplications =
                  (double)s->kept * (double)single_operations(s) / (double)single_weights(s),
              .bytes =
                  (double)s->info.model_bytes + (double)(s->inputs + s->outputs) * sizeof(float)};
    r.arithmetic = 2.0 * r.multiplications / b->flops;
    r.memory = r.bytes / b->bandwidth;
    return r;
}

static void print_case(const bench *b, const bench_layer *l, const single *s, const single_times *t,
                       double apart) {
    const roof r = roof_of(b, s);
    const double kept = 100.0 * (double)s->kept / (double)single_weights(s);
    const double ratio = t->least[SINGLE_DENSE] / t->least[SINGLE_SPARSE];
    const double median = t->median[SINGLE_DENSE] / t->median[SINGLE_SPARSE];
    const double rate = 2e-9 * r.multiplications / t->least[SINGLE_SPARSE];
    printf(b->o->json
               ? "{\"layer\": \"%s\", \"kept_percent\": %.2f, \"sparse_us\": %.1f, "
                 "\"sparse_least_us\": %.1f, \"dense_us\": %.1f, \"dense_least_us\": %.1f, "
                 "\"ratio\": %.3f, \"least_ratio\": %.3f, \"gflops\": %.2f, \"of_peak\": %.3f, "
                 "\"multiplications\": %.0f, \"bytes\": %.0f, \"arithmetic_us\": %.1f, "
                 "\"memory_us\": %.1f, \"apart\": %.2g, \"rounds\": %u}\n"
               : "%-24s %5.1f %9.0f %9.0f %9.0f %9.0f %6.2f %6.2f %6.1f %5.2f %9.4g %9.4g %8.0f "
                 "%7.0f %8.1g %u\n",
           l->name, kept, 1e6 * t->median[SINGLE_SPARSE], 1e6 * t->least[SINGLE_SPARSE],
           1e6 * t->median[SINGLE_DENSE], 1e6 * t->least[SINGLE_DENSE], median, ratio, rate,
           rate * 1e9 / b->flops, r.multiplications, r.bytes, 1e6 * r.arithmetic, 1e6 * r.memory,
           apart, t->rounds);
    fflush(stdout);
}

/* count: none of them has that name. */
static size_t named(const char *const *names, size_t count, const char *name) {
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static admmnn_runtime_weights weights_of(const options *o) {
    return (admmnn_runtime_weights)named(ways, WAYS, o->weights);
}

static single_structure structure_of(const options *o) {
    return (single_structure)named(structures, STRUCTURES, o->structure);
}

static admmnn_status measure(bench *b, const bench_layer *l, single *s, double share, double *ratio,
                             admmnn_error *err) {
    single_times times;
    double apart;
    BASE_TRY(single_draw(s, structure_of(b->o), share, weights_of(b->o), err));
    BASE_TRY(single_compare(s, &apart, err));
    if (!(apart < 1e-4))
        return base_fail(err, ADMMNN_BACKEND, "%s: outputs are %g apart", l->name, apart);
    BASE_TRY(single_time(s, 1e-3 * b->o->ms, &times, err));
    for (int way = 0; way < SINGLE_WAYS; way++) {
        b->medians[way] += times.median[way];
        b->leasts[way] += times.least[way];
    }
    *ratio = times.least[SINGLE_DENSE] / times.least[SINGLE_SPARSE];
    print_case(b, l, s, &times, apart);
    return ADMMNN_OK;
}

static void print_break_even(const bench_layer *l, const double *at, const double *ratios,
                             size_t count) {
    const double equal = break_even_find(at, ratios, count);
    if (equal <= 0.0 || equal >= 1.0)
        printf("%-24s %s is faster at all shares\n", l->name, equal <= 0.0 ? "dense" : "sparse");
    else
        printf("%-24s break-even at %.0f %% pruned\n", l->name, 100.0 * (1.0 - equal));
}

static admmnn_status measure_layer(bench *b, const bench_layer_set *which, const bench_layer *l,
                                   admmnn_error *err) {
    const double own = 0.01 * b->o->percent;
    const double *at = b->o->percent > 0 ? &own : which->shares;
    const size_t count = b->o->percent > 0 ? 1 : which->share_count;
    double ratios[BENCH_SHARES_MOST];
    single *s;
    BASE_TRY(bench_layer_make(l, b->o->threads, &s, err));
    admmnn_status status = ADMMNN_OK;
    for (size_t i = 0; i < count && status == ADMMNN_OK; i++)
        status = measure(b, l, s, at[i], &ratios[i], err);
    if (status == ADMMNN_OK && count > 1 && !b->o->json)
        print_break_even(l, at, ratios, count);
    single_free(s);
    return status;
}

static admmnn_status find_peak(bench *b, admmnn_error *err) {
    base_pool *pool;
    BASE_TRY(base_pool_create(b->o->threads, &pool, err));
    b->flops = bench_peak_flops(pool);
    b->bandwidth = bench_peak_bandwidth(pool);
    base_pool_destroy(pool);
    return b->bandwidth > 0.0 ? ADMMNN_OK : base_fail_memory(err, "the memory's speed");
}

static admmnn_status run(const options *o, const bench_layer_set *which, admmnn_error *err) {
    bench b = {.o = o};
    BASE_TRY(find_peak(&b, err));
    if (!o->json)
        printf(
            "%u threads, peak %.1f GFLOP/s, memory %.1f GB/s; microseconds\n"
            "%-24s %5s %9s %9s %9s %9s %6s %6s %6s %5s %9s %9s %8s %7s %8s\n",
            o->threads, 1e-9 * b.flops, 1e-9 * b.bandwidth, "", "kept%", "sparse", "least", "dense",
            "least", "ratio", "of l.", "GFLOPs", "peak", "products", "bytes", "at peak", "by mem.",
            "apart");
    for (size_t i = 0; i < which->count; i++)
        BASE_TRY(measure_layer(&b, which, &which->layers[i], err));
    printf(o->json ? "{\"set\": \"%s\", \"ratio\": %.3f, \"least_ratio\": %.3f}\n"
                   : "%s: all, medians: %.2f, least: %.2f\n",
           o->set, b.medians[SINGLE_DENSE] / b.medians[SINGLE_SPARSE],
           b.leasts[SINGLE_DENSE] / b.leasts[SINGLE_SPARSE]);
    return ADMMNN_OK;
}

int main(int argc, char **argv) {
    options o = {
        .set = "alexnet", .weights = "lists", .structure = "unstructured", .threads = 1, .ms = 400};
    const bench_option table[] = {{.name = "--set", .text = &o.set},
                                  {.name = "--weights", .text = &o.weights},
                                  {.name = "--structure", .text = &o.structure},
                                  {.name = "--percent", .number = &o.percent},
                                  {.name = "--threads", .number = &o.threads},
                                  {.name = "--ms", .number = &o.ms}};
    admmnn_error err = {0};
    const bool read =
        bench_options_read(argc, argv, table, sizeof table / sizeof table[0], &o.json);
    const bench_layer_set *which = bench_layer_set_find(o.set);
    if (!read || which == NULL || (int)weights_of(&o) == WAYS ||
        (size_t)structure_of(&o) == STRUCTURES || o.threads == 0 || o.percent > 100) {
        fputs("usage: bench_layers [--set " BENCH_LAYER_SETS
              "] [--weights fastest|lists|dense] "
              "[--structure unstructured|blocks|columns|n-of-m] [--percent N] [--threads N] [--ms "
              "N] [--json]\n",
              stderr);
        return 2;
    }
    return bench_exit("bench_layers", run(&o, which, &err), &err);
}
