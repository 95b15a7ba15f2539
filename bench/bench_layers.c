/* Convolutions of known networks, one image, at shares of their weights: the runtime's sparse
 * kernels against oneDNN's dense ones, in turns, with their outputs compared.
 *
 *   bench_layers [--set alexnet|layers] [--weights fastest|lists|dense] [--percent N]
 *                [--threads N] [--ms N] [--json]
 *
 * alexnet: conv2 to conv5 at 1/13.4 of their weights, the published ratio of the model that was
 * pruned for its convolutions (Ren et al. 2018). What that model keeps of each layer is in its file
 * alone, so all keep the same share. layers: those of 3x3 of VGG-16 and ResNet-50 at 5 to 100 %,
 * and from what share on dense is faster. --percent: keep that many instead. --ms: of each case.
 *
 * Roofline: of each case the time that its multiply-adds take at the peak, and its bytes, each
 * once, at the memory's speed. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "hardware/break_even.h"
#include "options.h"
#include "peak.h"

#define SHARES_MOST 9

typedef struct layer {
    const char *name;
    uint32_t channels, side, filters, kernel, groups;
} layer;

typedef struct set {
    const char *name;
    const layer *layers;
    size_t count;
    const double *shares;
    size_t share_count;
} set;

static const layer alexnet[] = {{"AlexNet conv2", 96, 27, 256, 5, 2},
                                {"AlexNet conv3", 256, 13, 384, 3, 1},
                                {"AlexNet conv4", 384, 13, 384, 3, 2},
                                {"AlexNet conv5", 384, 13, 256, 3, 2}};
static const layer layers[] = {
    {"VGG-16 conv1_2", 64, 224, 64, 3, 1},     {"VGG-16 conv2_2", 128, 112, 128, 3, 1},
    {"VGG-16 conv3_2", 256, 56, 256, 3, 1},    {"VGG-16 conv4_2", 512, 28, 512, 3, 1},
    {"VGG-16 conv5_2", 512, 14, 512, 3, 1},    {"ResNet-50 3x3, 56", 64, 56, 64, 3, 1},
    {"ResNet-50 3x3, 28", 128, 28, 128, 3, 1}, {"ResNet-50 3x3, 14", 256, 14, 256, 3, 1},
    {"ResNet-50 3x3, 7", 512, 7, 512, 3, 1}};
static const double published[] = {1.0 / 13.4};
/* Ascending: dense overtakes from one to the next. */
static const double shares[] = {0.05, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
static const set sets[] = {{"alexnet", alexnet, COUNT(alexnet), published, COUNT(published)},
                           {"layers", layers, COUNT(layers), shares, COUNT(shares)}};

#define WAYS 3
static const char *const ways[WAYS] = {[ADMMNN_RUNTIME_FASTEST] = "fastest",
                                       [ADMMNN_RUNTIME_LISTS] = "lists",
                                       [ADMMNN_RUNTIME_DENSE] = "dense"};

typedef struct options {
    const char *set, *weights;
    unsigned percent, threads, ms;
    bool json;
} options;

typedef struct bench {
    const options *o;
    double flops, bandwidth;    /* the machine's, a second */
    double totals[SINGLE_WAYS]; /* least seconds of all cases */
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

static void print_case(const bench *b, const layer *l, const single *s, const single_times *t,
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
               : "%-18s %5.1f %9.0f %9.0f %9.0f %9.0f %6.2f %6.2f %6.1f %5.2f %9.4g %9.4g %8.0f "
                 "%7.0f %8.1g %u\n",
           l->name, kept, 1e6 * t->median[SINGLE_SPARSE], 1e6 * t->least[SINGLE_SPARSE],
           1e6 * t->median[SINGLE_DENSE], 1e6 * t->least[SINGLE_DENSE], median, ratio, rate,
           rate * 1e9 / b->flops, r.multiplications, r.bytes, 1e6 * r.arithmetic, 1e6 * r.memory,
           apart, t->rounds);
    fflush(stdout);
}

static admmnn_status make_layer(const layer *l, unsigned threads, single **out, admmnn_error *err) {
    graph_conv conv = graph_conv_of(graph_window_of(l->kernel, 1, l->kernel / 2));
    graph *g;
    uint32_t v;
    conv.groups = l->groups;
    BASE_TRY(graph_create("one", graph_shape_image(l->channels, l->side, l->side), &g, err));
    admmnn_status status = graph_add_conv(g, "conv1", g->input, l->filters, conv, &v, err);
    if (status == ADMMNN_OK)
        status = single_create(g, 0, threads, out, err);
    graph_free(g);
    return status;
}

/* WAYS: none of that name. */
static admmnn_runtime_weights weights_of(const options *o) {
    for (int i = 0; i < WAYS; i++)
        if (strcmp(ways[i], o->weights) == 0)
            return (admmnn_runtime_weights)i;
    return (admmnn_runtime_weights)WAYS;
}

static admmnn_status measure(bench *b, const layer *l, single *s, double share, double *ratio,
                             admmnn_error *err) {
    single_times times;
    double apart;
    BASE_TRY(single_draw(s, share, weights_of(b->o), err));
    BASE_TRY(single_compare(s, &apart, err));
    if (!(apart < 1e-4))
        return base_fail(err, ADMMNN_BACKEND, "%s: outputs are %g apart", l->name, apart);
    BASE_TRY(single_time(s, 1e-3 * b->o->ms, &times, err));
    for (int way = 0; way < SINGLE_WAYS; way++)
        b->totals[way] += times.least[way];
    *ratio = times.least[SINGLE_DENSE] / times.least[SINGLE_SPARSE];
    print_case(b, l, s, &times, apart);
    return ADMMNN_OK;
}

static void print_break_even(const layer *l, const double *at, const double *ratios, size_t count) {
    const double equal = break_even_find(at, ratios, count);
    if (equal <= 0.0 || equal >= 1.0)
        printf("%-18s %s is faster at all shares\n", l->name, equal <= 0.0 ? "dense" : "sparse");
    else
        printf("%-18s break-even at %.0f %% pruned\n", l->name, 100.0 * (1.0 - equal));
}

static admmnn_status measure_layer(bench *b, const set *which, const layer *l, admmnn_error *err) {
    const double own = 0.01 * b->o->percent;
    const double *at = b->o->percent > 0 ? &own : which->shares;
    const size_t count = b->o->percent > 0 ? 1 : which->share_count;
    double ratios[SHARES_MOST];
    single *s;
    BASE_TRY(make_layer(l, b->o->threads, &s, err));
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

static admmnn_status run(const options *o, const set *which, admmnn_error *err) {
    bench b = {.o = o};
    BASE_TRY(find_peak(&b, err));
    if (!o->json)
        printf(
            "%u threads, peak %.1f GFLOP/s, memory %.1f GB/s; microseconds\n"
            "%-18s %5s %9s %9s %9s %9s %6s %6s %6s %5s %9s %9s %8s %7s %8s\n",
            o->threads, 1e-9 * b.flops, 1e-9 * b.bandwidth, "", "kept%", "sparse", "least", "dense",
            "least", "ratio", "of l.", "GFLOPs", "peak", "products", "bytes", "at peak", "by mem.",
            "apart");
    for (size_t i = 0; i < which->count; i++)
        BASE_TRY(measure_layer(&b, which, &which->layers[i], err));
    const double total = b.totals[SINGLE_DENSE] / b.totals[SINGLE_SPARSE];
    printf(o->json ? "{\"set\": \"%s\", \"least_ratio\": %.3f}\n" : "%s: all, least: %.2f\n",
           o->set, total);
    return ADMMNN_OK;
}

int main(int argc, char **argv) {
    options o = {.set = "alexnet", .weights = "lists", .threads = 1, .ms = 400};
    const bench_option table[] = {{.name = "--set", .text = &o.set},
                                  {.name = "--weights", .text = &o.weights},
                                  {.name = "--percent", .number = &o.percent},
                                  {.name = "--threads", .number = &o.threads},
                                  {.name = "--ms", .number = &o.ms}};
    const set *which = NULL;
    admmnn_error err = {0};
    const bool read = bench_options_read(argc, argv, table, COUNT(table), &o.json);
    for (size_t i = 0; i < COUNT(sets); i++)
        if (strcmp(sets[i].name, o.set) == 0)
            which = &sets[i];
    if (!read || which == NULL || (int)weights_of(&o) == WAYS || o.threads == 0 ||
        o.percent > 100) {
        fputs(
            "usage: bench_layers [--set alexnet|layers] [--percent N] [--threads N] [--ms N] "
            "[--json]\n",
            stderr);
        return 2;
    }
    return bench_exit("bench_layers", run(&o, which, &err), &err);
}
