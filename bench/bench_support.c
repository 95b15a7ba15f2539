/* Layer by layer: each pass of a convolution or inner product on a support against oneDNN's on
 * all weights, on the same numbers of samples and threads. src/engine/sparse.c has its
 * figures from here.
 *
 *   bench_support [--network resnet-20] [--batch N] [--threads N] [--percent N] [--rounds N]
 *                 [--json]
 *
 * Least and median over the rounds, in turns: seconds, of one thread those that it had the
 * processor, which other programs disturb less. Places are drawn at random. Operations are
 * multiply-adds, bytes the tensors' and the lists', each once. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/dnnl_api.h"
#include "engine/sparse.h"
#include "network.h"
#include "options.h"
#include "trainer.h"

#define ROUNDS_MAX 1000

static const char *const pass_names[SPARSE_PASSES] = {"forward", "weights", "data"};

typedef struct options {
    const char *network;
    unsigned batch, threads, percent, rounds;
    bool json;
} options;

/* What oneDNN runs of one pass. */
typedef struct dense {
    dnnl_api api;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[4];
    int count;
    float *memory[4];
} dense;

typedef struct bench {
    const options *o;
    graph *g;
    sparse_layer *layer;
    sparse_call call;
    float *x, *y, *w;
    double seconds[2][ROUNDS_MAX];
} bench;

static double now(const bench *b) {
    struct timespec t;
    if (b->o->threads > 1)
        return base_seconds();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *floats(size_t count) {
    float *array = base_array(count, sizeof *array);
    base_random random = base_random_at(1, 2, count);
    for (size_t i = 0; array != NULL && i < count; i++)
        array[i] = base_random_uniform(&random) - 0.5F;
    return array;
}

/* ---- oneDNN ---- */

static void add_argument(dense *d, int role, dnnl_api_desc desc) {
    dnnl_memory_t memory;
    d->memory[d->count] = floats(dnnl_memory_desc_get_size(desc) / sizeof(float) + 1);
    dnnl_memory_create(&memory, desc, d->api.engine, d->memory[d->count]);
    d->arguments[d->count++] = (dnnl_exec_arg_t){role, memory};
}

static void describe(const graph_node *node, const graph *g, size_t samples, dnnl_dims_t dims[3],
                     int ndims[3], dnnl_api_window *window) {
    const graph_parameter *weight = &g->parameters[node->weight];
    const graph_shape in = graph_operand_shape(g, node, 0);
    const graph_shape out = g->values[node->output].shape;
    const dnnl_dim_t n = (dnnl_dim_t)samples;
    if (node->op == GRAPH_INNER_PRODUCT) {
        memcpy(dims[0], (dnnl_dims_t){n, weight->columns}, sizeof(dnnl_dims_t));
        memcpy(dims[1], (dnnl_dims_t){weight->rows, weight->columns}, sizeof(dnnl_dims_t));
        memcpy(dims[2], (dnnl_dims_t){n, weight->rows}, sizeof(dnnl_dims_t));
        ndims[0] = ndims[1] = ndims[2] = 2;
        return;
    }
    const graph_window *w = &node->conv.window;
    const dnnl_dim_t groups = node->conv.groups;
    const dnnl_dim_t channels = graph_shape_channels(in);
    const dnnl_dims_t plain = {weight->rows, channels, w->kernel[0], w->kernel[1]};
    const dnnl_dims_t grouped = {groups, weight->rows / groups, channels / groups, w->kernel[0],
                                 w->kernel[1]};
    memcpy(dims[0], (dnnl_dims_t){n, channels, graph_shape_height(in), graph_shape_width(in)},
           sizeof(dnnl_dims_t));
    memcpy(dims[1], groups > 1 ? grouped : plain, sizeof(dnnl_dims_t));
    memcpy(dims[2], (dnnl_dims_t){n, weight->rows, graph_shape_height(out), graph_shape_width(out)},
           sizeof(dnnl_dims_t));
    ndims[0] = ndims[2] = 4;
    ndims[1] = groups > 1 ? 5 : 4;
    for (int i = 0; i < 2; i++) {
        window->kernel[i] = w->kernel[i];
        window->stride[i] = w->stride[i];
        window->dilation[i] = w->dilation[i] - 1;
        window->pad[i] = w->pad[i];
        window->pad_end[i] = w->pad_end[i];
    }
}

/* An inner product's weights stand row-major, as in the engine. */
static admmnn_status make_dense(const bench *b, const graph_node *node, sparse_pass pass, dense *d,
                                admmnn_error *err) {
    static dnnl_api_make *const conv[] = {dnnl_api_conv_forward, dnnl_api_conv_weights,
                                          dnnl_api_conv_data};
    static dnnl_api_make *const product[] = {dnnl_api_product_forward, dnnl_api_product_weights,
                                             dnnl_api_product_data};
    static const int roles[SPARSE_PASSES][3] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST}};
    const bool is_product = node->op == GRAPH_INNER_PRODUCT;
    dnnl_dims_t dims[3];
    int ndims[3];
    dnnl_api_window window = {.kernel = {0}};
    dnnl_api_desc desc[3];
    dnnl_primitive_desc_t forward;
    dnnl_primitive_desc_t what;
    dnnl_api_open(&d->api);
    describe(node, b->g, b->call.samples, dims, ndims, &window);
    for (int i = 0; i < 3; i++)
        dnnl_api_desc_create(ndims[i], dims[i], !is_product, &desc[i]);
    dnnl_api_shapes shapes = {
        .src = desc[0], .weights = desc[1], .dst = desc[2], .window = &window};
    dnnl_status_t made = (is_product ? product : conv)[0](&d->api, &shapes, true, &forward);
    shapes.forward = forward;
    if (made == dnnl_success)
        made = (is_product ? product : conv)[pass](&d->api, &shapes, true, &what);
    if (made != dnnl_success)
        return base_fail(err, ADMMNN_BACKEND, "oneDNN has no such layer as %s", node->name);
    static const dnnl_query_t queries[SPARSE_PASSES][3] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md}};
    for (int i = 0; i < 3; i++)
        add_argument(d, roles[pass][i], dnnl_primitive_desc_query_md(what, queries[pass][i], 0));
    add_argument(d, DNNL_ARG_SCRATCHPAD,
                 dnnl_primitive_desc_query_md(what, dnnl_query_scratchpad_md, 0));
    dnnl_primitive_create(&d->primitive, what);
    dnnl_primitive_desc_destroy(what);
    dnnl_primitive_desc_destroy(forward);
    for (int i = 0; i < 3; i++)
        dnnl_api_desc_free(desc[i]);
    return ADMMNN_OK;
}

static void free_dense(dense *d) {
    for (int i = 0; i < d->count; i++) {
        dnnl_memory_destroy(d->arguments[i].memory);
        base_free(d->memory[i]);
    }
    if (d->primitive != NULL)
        dnnl_primitive_destroy(d->primitive);
    dnnl_api_close(&d->api);
}

static double run_dense(const bench *b, const dense *d) {
    const double start = now(b);
    dnnl_primitive_execute(d->primitive, d->api.stream, d->count, d->arguments);
    dnnl_stream_wait(d->api.stream);
    return now(b) - start;
}

/* ---- lists ---- */

static double run_sparse(const bench *b, sparse_pass pass) {
    sparse_call call = b->call;
    if (pass != SPARSE_WEIGHTS)
        call.dw = call.db = NULL;
    if (pass != SPARSE_DATA)
        call.dx = NULL;
    const double start = now(b);
    if (pass == SPARSE_FORWARD)
        sparse_forward(&call);
    else
        sparse_backward(&call);
    return now(b) - start;
}

static admmnn_status draw_layer(bench *b, const graph_node *node, admmnn_error *err) {
    const graph_parameter *weight = &b->g->parameters[node->weight];
    size_t *index = base_array(weight->count, sizeof *index);
    if (index == NULL)
        return base_fail_memory(err, "the support");
    base_random random = base_random_at(1, 2, 3);
    size_t count = 0;
    for (size_t i = 0; i < weight->count; i++)
        if (base_random_below(&random, 1000) < b->o->percent * 10)
            index[count++] = weight->offset + i;
    admmnn_status status = sparse_layer_create(b->g, node, index, 0, count, b->call.samples,
                                               b->o->threads, true, &b->layer, err);
    base_free(index);
    return status;
}

/* ---- one layer ---- */

static size_t block_of(const bench *b, size_t channels) {
    return b->layer->product || channels < 8 ? 1 : b->layer->kernels->lanes == 16 ? 16 : 8;
}

static void report(bench *b, const graph_node *node, sparse_pass pass, size_t in, size_t out) {
    const graph_parameter *weight = &b->g->parameters[node->weight];
    const unsigned rounds = b->o->rounds;
    const double median[2] = {1e3 * bench_median(b->seconds[0], rounds),
                              1e3 * bench_median(b->seconds[1], rounds)};
    const double least[2] = {1e3 * b->seconds[0][0], 1e3 * b->seconds[1][0]};
    const size_t positions = out / weight->rows;
    const double operations = 1e-6 * (double)(b->layer->count * positions * b->call.samples);
    const double megabytes = 4e-6 * (double)((in + out) * b->call.samples + 2 * b->layer->count);
    printf(b->o->json
               ? "{\"layer\": \"%s\", \"pass\": \"%s\", \"dense_ms\": %.3f, \"lists_ms\": %.3f, "
                 "\"dense_median_ms\": %.3f, \"lists_median_ms\": %.3f, \"ratio\": %.3f, "
                 "\"million_operations\": %.1f, \"megabytes\": %.2f}\n"
               : "%-10s %-8s dense %8.3f lists %8.3f ms (medians %8.3f %8.3f) ratio %.3f, "
                 "%7.1f million multiply-adds, %6.2f MB\n",
           node->name, pass_names[pass], least[0], least[1], median[0], median[1],
           least[1] / least[0], operations, megabytes);
}

static admmnn_status measure_pass(bench *b, const graph_node *node, sparse_pass pass,
                                  admmnn_error *err) {
    dense d = {.count = 0};
    const int before = dnnl_api_set_threads((int)b->o->threads);
    admmnn_status status = make_dense(b, node, pass, &d, err);
    /* Round 0 warms up and is overwritten by the first that counts. */
    for (unsigned round = 0; status == ADMMNN_OK && round <= b->o->rounds; round++) {
        b->seconds[0][round == 0 ? 0 : round - 1] = run_dense(b, &d);
        b->seconds[1][round == 0 ? 0 : round - 1] = run_sparse(b, pass);
    }
    free_dense(&d);
    dnnl_api_set_threads(before);
    return status;
}

static admmnn_status measure(bench *b, const graph_node *node, admmnn_error *err) {
    const size_t in = graph_value_count(b->g, graph_operand(b->g, node, 0));
    const size_t out = graph_value_count(b->g, node->output);
    const graph_parameter *weight = &b->g->parameters[node->weight];
    b->call = (sparse_call){.samples = b->o->batch, .threads = b->o->threads};
    BASE_TRY(draw_layer(b, node, err));
    sparse_call *c = &b->call;
    c->layer = b->layer;
    c->x_layout.block = block_of(b, b->layer->channels);
    c->y_layout.block = block_of(b, b->layer->filters);
    const size_t samples = c->samples;
    float *all[] = {floats(b->layer->count + 1),
                    floats((in + 16) * samples * 2),
                    floats((in + 16) * samples * 2),
                    floats((out + 16) * samples * 2),
                    floats((out + 16) * samples * 2),
                    floats(b->layer->count + 1),
                    floats(weight->rows),
                    floats(sparse_scratch(b->layer, c->threads))};
    c->weights = all[0];
    c->x = all[1];
    c->dx = all[2];
    c->dy = all[3];
    c->y = all[4];
    c->dw = all[5];
    c->db = all[6];
    c->scratch = all[7];
    admmnn_status status = ADMMNN_OK;
    for (int pass = 0; status == ADMMNN_OK && pass < SPARSE_PASSES; pass++) {
        status = measure_pass(b, node, (sparse_pass)pass, err);
        if (status == ADMMNN_OK)
            report(b, node, (sparse_pass)pass, in, out);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        base_free(all[i]);
    sparse_layer_free(b->layer);
    b->layer = NULL;
    return status;
}

/* Whether an earlier layer is like this one. */
static bool is_repeated(const graph *g, uint32_t n) {
    const graph_node *node = &g->nodes[n];
    for (uint32_t i = 0; i < n; i++) {
        const graph_node *other = &g->nodes[i];
        if (other->op == node->op && memcmp(&other->conv, &node->conv, sizeof node->conv) == 0 &&
            graph_shape_equal(graph_operand_shape(g, other, 0), graph_operand_shape(g, node, 0)) &&
            graph_shape_equal(g->values[other->output].shape, g->values[node->output].shape))
            return true;
    }
    return false;
}

static admmnn_status run(bench *b, admmnn_error *err) {
    BASE_TRY(bench_network_make(b->o->network, &b->g, err));
    for (uint32_t n = 0; n < b->g->node_count; n++) {
        const graph_node *node = &b->g->nodes[n];
        const bool weighted = node->op == GRAPH_CONV || node->op == GRAPH_INNER_PRODUCT;
        if (weighted && !is_repeated(b->g, n))
            BASE_TRY(measure(b, node, err));
    }
    return ADMMNN_OK;
}

int main(int argc, char **argv) {
    options o = {.network = "resnet-20", .batch = 64, .threads = 1, .percent = 10, .rounds = 9};
    const bench_option known[] = {{"--network", .text = &o.network},
                                  {"--batch", .number = &o.batch},
                                  {"--threads", .number = &o.threads},
                                  {"--percent", .number = &o.percent},
                                  {"--rounds", .number = &o.rounds}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o.json) ||
        o.batch < 1 || o.threads < 1 || o.percent > 100 || o.rounds < 1 || o.rounds > ROUNDS_MAX) {
        fprintf(stderr,
                "usage: bench_support [--network NAME] [--batch N] [--threads N] "
                "[--percent 0..100] [--rounds 1..1000] [--json]\n");
        return 2;
    }
    static bench b;
    admmnn_error err = {0};
    b.o = &o;
    const admmnn_status status = run(&b, &err);
    graph_free(b.g);
    return bench_exit("bench_support", status, &err);
}
