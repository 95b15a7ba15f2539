/* Convolutions of known networks, one image, one thread: the runtime's layer against XNNPACK's
 * operators of the same weights, in turns, with their outputs compared.
 *
 *   bench_xnnpack [--set alexnet|layers|pointwise] [--percent N] [--ms N] [--json]
 *
 * The runtime's whole call, by the time that the thread had a processor. XNNPACK's sparse operator
 * (NCHW) takes convolutions of 1x1, stride 1, without groups or padding: the others are compared
 * with the dense one (NHWC) alone. Its inputs are in the layout that it wants. layers.h has the
 * sets. --percent: of the weights are kept; else 5, 10 and 20. --ms: of each case. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <xnnpack.h>

#include "base/context.h"
#include "base/memory.h"
#include "hardware/turns.h"
#include "layers.h"
#include "options.h"

/* XNNPACK reads so many floats beyond the end of an input. */
#define SLACK (XNN_EXTRA_BYTES / sizeof(float))
#define APART_MOST 1e-4

enum { RUNTIME, DENSE, SPARSE, WAYS };

typedef struct options {
    const char *set;
    unsigned percent, ms;
    bool json;
} options;

typedef struct peer {
    const bench_layer *layer;
    single *s;
    int ways;             /* SPARSE is not among them where XNNPACK has no such operator */
    float *kernel;        /* [filters][kernel][kernel][channels of a group] */
    float *inputs[WAYS];  /* the runtime's are in s; of DENSE pixels of channels, of the others */
    float *outputs[WAYS]; /* planes of pixels */
    xnn_operator_t made[WAYS]; /* of the weights as they are now */
} peer;

static size_t channels_of_group(const bench_layer *l) {
    return l->channels / l->groups;
}

static admmnn_status check(enum xnn_status status, const char *what, admmnn_error *err) {
    if (status == xnn_status_success)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_BACKEND, "XNNPACK's status %d: %s", (int)status, what);
}

/* ---- making ---- */

static void transpose(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

static admmnn_status make_arrays(peer *p, admmnn_error *err) {
    p->kernel = base_array(single_weights(p->s), sizeof *p->kernel);
    bool there = p->kernel != NULL;
    for (int way = DENSE; way < p->ways; way++) {
        p->inputs[way] = base_array(p->s->inputs + SLACK, sizeof *p->inputs[way]);
        p->outputs[way] = base_array(p->s->outputs + SLACK, sizeof *p->outputs[way]);
        there = there && p->inputs[way] != NULL && p->outputs[way] != NULL;
    }
    return there ? ADMMNN_OK : base_fail_memory(err, "a layer of XNNPACK");
}

static admmnn_status make_peer(peer *p, admmnn_error *err) {
    const bench_layer *l = p->layer;
    p->ways = l->kernel == 1 && l->groups == 1 ? WAYS : SPARSE;
    BASE_TRY(bench_layer_make(l, 1, &p->s, err));
    BASE_TRY(make_arrays(p, err));
    transpose(p->s->input, l->channels, (size_t)l->side * l->side, p->inputs[DENSE]);
    if (p->ways > SPARSE)
        memcpy(p->inputs[SPARSE], p->s->input, p->s->inputs * sizeof(float));
    return ADMMNN_OK;
}

static void delete_operators(peer *p) {
    for (int way = DENSE; way < p->ways; way++) {
        xnn_delete_operator(p->made[way]);
        p->made[way] = NULL;
    }
}

static void free_peer(peer *p) {
    delete_operators(p);
    for (int way = DENSE; way < WAYS; way++) {
        base_free(p->inputs[way]);
        base_free(p->outputs[way]);
    }
    base_free(p->kernel);
    single_free(p->s);
}

static admmnn_status make_dense(peer *p, admmnn_error *err) {
    const bench_layer *l = p->layer;
    const uint32_t pad = l->kernel / 2;
    const size_t area = (size_t)l->kernel * l->kernel;
    const size_t row = channels_of_group(l) * area;
    for (size_t f = 0; f < l->filters; f++)
        transpose(p->s->params + f * row, channels_of_group(l), area, p->kernel + f * row);
    BASE_TRY(check(xnn_create_convolution2d_nhwc_f32(
                       pad, pad, pad, pad, l->kernel, l->kernel, 1, 1, 1, 1, l->groups,
                       channels_of_group(l), l->filters / l->groups, l->channels, l->filters,
                       p->kernel, NULL, -INFINITY, INFINITY, 0, &p->made[DENSE]),
                   "a dense convolution", err));
    return check(xnn_setup_convolution2d_nhwc_f32(p->made[DENSE], 1, l->side, l->side,
                                                  p->inputs[DENSE], p->outputs[DENSE], NULL),
                 "a dense convolution's input", err);
}

static admmnn_status make_sparse(peer *p, admmnn_error *err) {
    const bench_layer *l = p->layer;
    BASE_TRY(check(xnn_create_convolution2d_nchw_f32(
                       0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, l->channels, l->filters, l->channels,
                       l->filters, p->s->params, NULL, -INFINITY, INFINITY, 0, &p->made[SPARSE]),
                   "a sparse convolution", err));
    return check(xnn_setup_convolution2d_nchw_f32(p->made[SPARSE], 1, l->side, l->side,
                                                  p->inputs[SPARSE], p->outputs[SPARSE], NULL),
                 "a sparse convolution's input", err);
}

static admmnn_status draw(peer *p, double share, admmnn_error *err) {
    delete_operators(p);
    BASE_TRY(single_draw(p->s, SINGLE_UNSTRUCTURED, share, ADMMNN_RUNTIME_FASTEST, err));
    BASE_TRY(make_dense(p, err));
    return p->ways > SPARSE ? make_sparse(p, err) : ADMMNN_OK;
}

/* ---- running ---- */

static admmnn_status run_way(void *user, int way, admmnn_error *err) {
    const peer *p = user;
    return way == RUNTIME ? single_run_sparse(p->s, err)
                          : check(xnn_run_operator(p->made[way], NULL), "running", err);
}

/* Of XNNPACK's output from the runtime's, over the largest of these. */
static double apart(const peer *p, int way) {
    const size_t filters = p->layer->filters;
    const size_t plane = p->s->outputs / filters;
    double most = 0.0;
    double size = 0.0;
    for (size_t f = 0; f < filters; f++)
        for (size_t i = 0; i < plane; i++) {
            const double ours = (double)p->s->made[f * plane + i];
            const size_t at = way == DENSE ? i * filters + f : f * plane + i;
            most = fmax(most, fabs((double)p->outputs[way][at] - ours));
            size = fmax(size, fabs(ours));
        }
    return size > 0.0 ? most / size : most;
}

static admmnn_status compare(peer *p, double *most, admmnn_error *err) {
    *most = 0.0;
    BASE_TRY(run_way(p, RUNTIME, err));
    for (int way = DENSE; way < p->ways; way++) {
        BASE_TRY(run_way(p, way, err));
        const double by = apart(p, way);
        if (!(by < APART_MOST))
            return base_fail(err, ADMMNN_BACKEND, "%s: outputs are %g apart", p->layer->name, by);
        *most = fmax(*most, by);
    }
    return ADMMNN_OK;
}

/* ---- telling ---- */

static const char *const names[WAYS] = {"runtime", "dense", "sparse"};

static void print_json(const peer *p, double kept, const turns_times *times, double most,
                       unsigned rounds) {
    printf("{\"layer\": \"%s\", \"kept_percent\": %.2f", p->layer->name, kept);
    for (int way = 0; way < p->ways; way++)
        printf(", \"%s_us\": %.1f, \"%s_least_us\": %.1f", names[way], 1e6 * times[way].median,
               names[way], 1e6 * times[way].least);
    for (int way = DENSE; way < p->ways; way++)
        printf(", \"%s_ratio\": %.3f, \"%s_least_ratio\": %.3f", names[way],
               times[way].median / times[RUNTIME].median, names[way],
               times[way].least / times[RUNTIME].least);
    printf(", \"apart\": %.2g, \"rounds\": %u}\n", most, rounds);
}

static void print_row(const peer *p, double kept, const turns_times *times, double most,
                      unsigned rounds) {
    printf("%-24s %5.1f %9.0f %9.0f", p->layer->name, kept, 1e6 * times[RUNTIME].median,
           1e6 * times[RUNTIME].least);
    for (int way = DENSE; way < WAYS; way++)
        if (way < p->ways)
            printf(" %9.0f %9.0f %6.2f %6.2f", 1e6 * times[way].median, 1e6 * times[way].least,
                   times[way].median / times[RUNTIME].median,
                   times[way].least / times[RUNTIME].least);
        else
            printf(" %9s %9s %6s %6s", "-", "-", "-", "-");
    printf(" %8.1g %u\n", most, rounds);
}

static void print_head(void) {
    printf("1 thread; microseconds\n%-24s %5s %9s %9s", "", "kept%", names[RUNTIME], "least");
    for (int way = DENSE; way < WAYS; way++)
        printf(" %9s %9s %6s %6s", names[way], "least", "ratio", "of l.");
    printf(" %8s\n", "apart");
}

/* ---- measuring ---- */

static admmnn_status measure(const options *o, peer *p, double share, admmnn_error *err) {
    const turns t = {.ways = p->ways, .run = run_way, .user = p, .now = base_thread_seconds};
    turns_times times[WAYS];
    double most;
    unsigned rounds;
    BASE_TRY(draw(p, share, err));
    BASE_TRY(compare(p, &most, err));
    BASE_TRY(turns_time(&t, 1e-3 * o->ms, times, &rounds, err));
    const double kept = 100.0 * (double)p->s->kept / (double)single_weights(p->s);
    (o->json ? print_json : print_row)(p, kept, times, most, rounds);
    fflush(stdout);
    return ADMMNN_OK;
}

static admmnn_status measure_layer(const options *o, const bench_layer *l, admmnn_error *err) {
    static const double usual[] = {0.05, 0.1, 0.2};
    const double own = 0.01 * o->percent;
    const double *shares = o->percent > 0 ? &own : usual;
    const size_t count = o->percent > 0 ? 1 : sizeof usual / sizeof usual[0];
    peer p = {.layer = l};
    admmnn_status status = make_peer(&p, err);
    for (size_t i = 0; i < count && status == ADMMNN_OK; i++)
        status = measure(o, &p, shares[i], err);
    free_peer(&p);
    return status;
}

static admmnn_status run(const options *o, const bench_layer_set *which, admmnn_error *err) {
    BASE_TRY(check(xnn_initialize(NULL), "beginning", err));
    if (!o->json)
        print_head();
    admmnn_status status = ADMMNN_OK;
    for (size_t i = 0; i < which->count && status == ADMMNN_OK; i++)
        status = measure_layer(o, &which->layers[i], err);
    xnn_deinitialize();
    return status;
}

int main(int argc, char **argv) {
    options o = {.set = "pointwise", .ms = 400};
    const bench_option table[] = {{.name = "--set", .text = &o.set},
                                  {.name = "--percent", .number = &o.percent},
                                  {.name = "--ms", .number = &o.ms}};
    admmnn_error err = {0};
    const bool read =
        bench_options_read(argc, argv, table, sizeof table / sizeof table[0], &o.json);
    const bench_layer_set *which = bench_layer_set_find(o.set);
    if (!read || which == NULL || o.percent > 100) {
        fputs("usage: bench_xnnpack [--set " BENCH_LAYER_SETS "] [--percent N] [--ms N] [--json]\n",
              stderr);
        return 2;
    }
    return bench_exit("bench_xnnpack", run(&o, which, &err), &err);
}
