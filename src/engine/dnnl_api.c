#include "engine/dnnl_api.h"

#include <string.h>

#include "base/memory.h"

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/* OpenMP 5.2, sections 18.2.1, 18.2.3 and 18.2.4, and what a parallel region is compiled to
 * by gcc and known to every OpenMP runtime that stands in for gcc's. Declared here because
 * clang finds omp.h only with a runtime of its own, and two runtimes must not meet. */
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void GOMP_parallel(void (*region)(void *), void *argument, unsigned threads, unsigned flags);

int dnnl_api_set_threads(int threads) {
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}

typedef struct team {
    void (*task)(void *, unsigned, unsigned);
    void *argument;
    unsigned threads;
} team;

/* A team may be given fewer threads than it asked for. */
static void run_member(void *argument) {
    const team *t = argument;
    const unsigned step = (unsigned)omp_get_num_threads();
    for (unsigned i = (unsigned)omp_get_thread_num(); i < t->threads; i += step)
        t->task(t->argument, i, t->threads);
}

void dnnl_api_run(unsigned threads, void (*task)(void *, unsigned, unsigned), void *argument) {
    team t = {task, argument, threads};
    if (threads > 1)
        GOMP_parallel(run_member, &t, threads, 0);
    else
        task(argument, 0, 1);
}
#else
int dnnl_api_set_threads(int threads) {
    return threads;
}

void dnnl_api_run(unsigned threads, void (*task)(void *, unsigned, unsigned), void *argument) {
    for (unsigned t = 0; t < threads; t++)
        task(argument, t, threads);
}
#endif

dnnl_status_t dnnl_api_open(dnnl_api *api) {
    *api = (dnnl_api){0};
    dnnl_status_t status = dnnl_engine_create(&api->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&api->stream, api->engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&api->attributes);
    if (status == dnnl_success)
        status =
            dnnl_primitive_attr_set_scratchpad_mode(api->attributes, dnnl_scratchpad_mode_user);
    return status;
}

void dnnl_api_close(dnnl_api *api) {
    if (api->attributes != NULL)
        dnnl_primitive_attr_destroy(api->attributes);
    if (api->stream != NULL)
        dnnl_stream_destroy(api->stream);
    if (api->engine != NULL)
        dnnl_engine_destroy(api->engine);
    *api = (dnnl_api){0};
}

/* Row-major, by the number of dimensions. */
static const dnnl_format_tag_t plain_tags[] = {
    dnnl_format_tag_undef, dnnl_a,       dnnl_ab,      dnnl_abc, dnnl_abcd, dnnl_abcde,
    dnnl_abcdef,           dnnl_abcdefg, dnnl_abcdefgh};

static dnnl_format_tag_t tag_of(int ndims, bool any) {
    return any ? dnnl_format_tag_any : plain_tags[ndims];
}

/* The descriptor is the caller's. */
static dnnl_status_t describe_by_tag(int ndims, const dnnl_dims_t dims, dnnl_format_tag_t tag,
                                     dnnl_api_desc *out) {
    dnnl_memory_desc_t desc;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&desc, ndims, dims, dnnl_f32, tag);
    if (status == dnnl_success)
        *out = desc;
    return status;
#else
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&desc, ndims, dims, dnnl_f32, tag);
    return status == dnnl_success ? dnnl_api_desc_copy(&desc, out) : status;
#endif
}

static dnnl_format_tag_t tag_in_lanes(size_t lanes) {
    return lanes == 4 ? dnnl_Abcd4a : lanes == 8 ? dnnl_Abcd8a : dnnl_Abcd16a;
}

dnnl_status_t dnnl_api_desc_in_lanes(const dnnl_dims_t dims, size_t lanes, dnnl_api_desc *out) {
    return describe_by_tag(4, dims, tag_in_lanes(lanes), out);
}

dnnl_status_t dnnl_api_desc_in_blocks(const dnnl_dims_t dims, size_t block, dnnl_api_desc *out) {
    return describe_by_tag(4, dims, block == 8 ? dnnl_aBcd8b : dnnl_aBcd16b, out);
}

lanes_layout dnnl_api_desc_layout(dnnl_api_desc desc) {
    static const struct {
        int ndims;
        dnnl_format_tag_t tag;
        lanes_layout layout;
    } formats[] = {{3, dnnl_aBc8b, {.block = 8}},   {3, dnnl_aBc16b, {.block = 16}},
                   {4, dnnl_aBcd8b, {.block = 8}},  {4, dnnl_aBcd16b, {.block = 16}},
                   {4, dnnl_Abcd4a, {1, true}},     {4, dnnl_Abcd8a, {1, true}},
                   {4, dnnl_Abcd16a, {1, true}},    {2, dnnl_ab, {.block = 1}},
                   {3, dnnl_abc, {.block = 1}},     {4, dnnl_abcd, {.block = 1}},
                   {5, dnnl_abcde, {.block = 1}},   {6, dnnl_abcdef, {.block = 1}},
                   {7, dnnl_abcdefg, {.block = 1}}, {8, dnnl_abcdefgh, {.block = 1}}};
    dnnl_dims_t dims;
    const int ndims = dnnl_api_desc_dims(desc, dims);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        dnnl_api_desc other;
        if (formats[i].ndims != ndims ||
            describe_by_tag(ndims, dims, formats[i].tag, &other) != dnnl_success)
            continue;
        const bool same = dnnl_memory_desc_equal(desc, other) != 0;
        dnnl_api_desc_free(other);
        if (same)
            return formats[i].layout;
    }
    return (lanes_layout){0};
}

dnnl_status_t dnnl_api_desc_create(int ndims, const dnnl_dims_t dims, bool any,
                                   dnnl_api_desc *out) {
    return describe_by_tag(ndims, dims, tag_of(ndims, any), out);
}

static dnnl_prop_kind_t forward_kind(bool training) {
    return training ? dnnl_forward_training : dnnl_forward_inference;
}

static const_dnnl_primitive_attr_t attributes_of(const dnnl_api *api, const dnnl_api_shapes *s) {
    return s->attributes != NULL ? s->attributes : api->attributes;
}

dnnl_status_t dnnl_api_reorder(const dnnl_api *api, dnnl_api_desc from, dnnl_api_desc to,
                               dnnl_primitive_desc_t *out) {
    return dnnl_reorder_primitive_desc_create(out, from, api->engine, to, api->engine,
                                              api->attributes);
}

static dnnl_status_t append_function(dnnl_post_ops_t ops, const dnnl_api_shapes *function) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(ops, function->algorithm, function->alpha, function->beta);
#else
    return dnnl_post_ops_append_eltwise(ops, 1.0F, function->algorithm, function->alpha,
                                        function->beta);
#endif
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(ops, 1.0F, 0, dnnl_f32);
#else
    return dnnl_post_ops_append_sum(ops, 1.0F);
#endif
}

static dnnl_status_t set_operations(dnnl_primitive_attr_t attributes, bool sums,
                                    const dnnl_api_shapes *function) {
    dnnl_post_ops_t ops;
    dnnl_status_t status = dnnl_post_ops_create(&ops);
    if (status != dnnl_success)
        return status;
    if (sums)
        status = append_sum(ops);
    if (status == dnnl_success && function != NULL)
        status = append_function(ops, function);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attributes, ops);
    dnnl_post_ops_destroy(ops);
    return status;
}

dnnl_status_t dnnl_api_attributes(bool sums, const dnnl_api_shapes *function,
                                  dnnl_primitive_attr_t *out) {
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = set_operations(attributes, sums, function);
    if (status == dnnl_success)
        *out = attributes;
    else
        dnnl_primitive_attr_destroy(attributes);
    return status;
}

#if DNNL_VERSION_MAJOR >= 3

dnnl_status_t dnnl_api_desc_copy(dnnl_api_desc desc, dnnl_api_desc *out) {
    dnnl_memory_desc_t copy;
    dnnl_status_t status = dnnl_memory_desc_clone(&copy, desc);
    if (status == dnnl_success)
        *out = copy;
    return status;
}

void dnnl_api_desc_free(dnnl_api_desc desc) {
    if (desc != NULL)
        dnnl_memory_desc_destroy((dnnl_memory_desc_t)desc);
}

int dnnl_api_desc_dims(dnnl_api_desc desc, dnnl_dims_t dims) {
    int ndims = 0;
    const dnnl_dims_t *own = NULL;
    dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &ndims);
    dnnl_memory_desc_query(desc, dnnl_query_dims, &own);
    memcpy(dims, *own, (size_t)ndims * sizeof *dims);
    return ndims;
}

dnnl_status_t dnnl_api_conv_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    return dnnl_convolution_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), dnnl_convolution_direct, s->src, s->weights,
        s->bias, s->dst, s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_conv_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, api->engine, dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end, s->forward,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_conv_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                 dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_convolution_backward_data_primitive_desc_create(
        out, api->engine, dnnl_convolution_direct, s->src, s->weights, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_transposed_forward(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    return dnnl_deconvolution_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), dnnl_deconvolution_direct, s->src, s->weights,
        s->bias, s->dst, s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_transposed_weights(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_deconvolution_backward_weights_primitive_desc_create(
        out, api->engine, dnnl_deconvolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end, s->forward,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_transposed_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_deconvolution_backward_data_primitive_desc_create(
        out, api->engine, dnnl_deconvolution_direct, s->src, s->weights, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_product_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    return dnnl_inner_product_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), s->src, s->weights, s->bias, s->dst,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_product_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        out, api->engine, s->src, s->weights, s->bias, s->dst, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_product_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_inner_product_backward_data_primitive_desc_create(
        out, api->engine, s->src, s->weights, s->dst, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_pool_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    return dnnl_pooling_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), s->algorithm, s->src, s->dst, s->window->stride,
        s->window->kernel, s->window->dilation, s->window->pad, s->window->pad_end,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_pool_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_pooling_backward_primitive_desc_create(
        out, api->engine, s->algorithm, s->src, s->dst, s->window->stride, s->window->kernel,
        s->window->dilation, s->window->pad, s->window->pad_end, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_element_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    return dnnl_eltwise_forward_primitive_desc_create(out, api->engine, forward_kind(training),
                                                      s->algorithm, s->src, s->src, s->alpha,
                                                      s->beta, attributes_of(api, s));
}

dnnl_status_t dnnl_api_element_backward(const dnnl_api *api, const dnnl_api_shapes *s,
                                        bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_eltwise_backward_primitive_desc_create(out, api->engine, s->algorithm, s->dst,
                                                       s->dst, s->src, s->alpha, s->beta,
                                                       s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_binary(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                              dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_binary_primitive_desc_create(out, api->engine, s->algorithm, s->src, s->weights,
                                             s->dst, attributes_of(api, s));
}

dnnl_status_t dnnl_api_batch_norm_forward(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    return dnnl_batch_normalization_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), s->src, s->src, s->epsilon, s->flags,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_batch_norm_backward(const dnnl_api *api, const dnnl_api_shapes *s,
                                           bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_batch_normalization_backward_primitive_desc_create(
        out, api->engine, dnnl_backward, s->dst, s->dst, s->src, s->epsilon, s->flags, s->forward,
        attributes_of(api, s));
}

dnnl_status_t dnnl_api_lrn_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                   dnnl_primitive_desc_t *out) {
    return dnnl_lrn_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), dnnl_lrn_across_channels, s->src, s->src, s->size,
        s->alpha, s->beta, s->bias_value, attributes_of(api, s));
}

dnnl_status_t dnnl_api_lrn_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_lrn_backward_primitive_desc_create(
        out, api->engine, dnnl_lrn_across_channels, s->dst, s->dst, s->src, s->size, s->alpha,
        s->beta, s->bias_value, s->forward, attributes_of(api, s));
}

dnnl_status_t dnnl_api_concat(const dnnl_api *api, const dnnl_api_desc *src, int count, int axis,
                              dnnl_api_desc dst, dnnl_primitive_desc_t *out) {
    return dnnl_concat_primitive_desc_create(out, api->engine, dst, count, axis, src,
                                             api->attributes);
}

#else

dnnl_status_t dnnl_api_desc_copy(dnnl_api_desc desc, dnnl_api_desc *out) {
    dnnl_memory_desc_t *copy = base_array_copy(desc, 1, sizeof *copy);
    if (copy == NULL)
        return dnnl_out_of_memory;
    *out = copy;
    return dnnl_success;
}

void dnnl_api_desc_free(dnnl_api_desc desc) {
    base_free((void *)desc);
}

int dnnl_api_desc_dims(dnnl_api_desc desc, dnnl_dims_t dims) {
    memcpy(dims, desc->dims, (size_t)desc->ndims * sizeof *dims);
    return desc->ndims;
}

static dnnl_status_t make(const dnnl_api *api, dnnl_status_t status, const_dnnl_op_desc_t operation,
                          const dnnl_api_shapes *s, dnnl_primitive_desc_t *out) {
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(out, operation, attributes_of(api, s), api->engine,
                                      s->forward);
}

dnnl_status_t dnnl_api_conv_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &d, forward_kind(training), dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_conv_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &d, dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_conv_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                 dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &d, dnnl_convolution_direct, s->src, s->weights, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_transposed_forward(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    dnnl_deconvolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_deconvolution_forward_desc_init(
        &d, forward_kind(training), dnnl_deconvolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_transposed_weights(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_deconvolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_deconvolution_backward_weights_desc_init(
        &d, dnnl_deconvolution_direct, s->src, s->weights, s->bias, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_transposed_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_deconvolution_desc_t d;
    dnnl_status_t status = dnnl_dilated_deconvolution_backward_data_desc_init(
        &d, dnnl_deconvolution_direct, s->src, s->weights, s->dst, s->window->stride,
        s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_product_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    dnnl_inner_product_desc_t d;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(&d, forward_kind(training), s->src,
                                                                s->weights, s->bias, s->dst);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_product_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_inner_product_desc_t d;
    dnnl_status_t status =
        dnnl_inner_product_backward_weights_desc_init(&d, s->src, s->weights, s->bias, s->dst);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_product_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_inner_product_desc_t d;
    dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&d, s->src, s->weights, s->dst);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_pool_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    dnnl_pooling_v2_desc_t d;
    dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(
        &d, forward_kind(training), s->algorithm, s->src, s->dst, s->window->stride,
        s->window->kernel, s->window->dilation, s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_pool_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_pooling_v2_desc_t d;
    dnnl_status_t status = dnnl_pooling_v2_backward_desc_init(
        &d, s->algorithm, s->src, s->dst, s->window->stride, s->window->kernel, s->window->dilation,
        s->window->pad, s->window->pad_end);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_element_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    dnnl_eltwise_desc_t d;
    dnnl_status_t status = dnnl_eltwise_forward_desc_init(&d, forward_kind(training), s->algorithm,
                                                          s->src, s->alpha, s->beta);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_element_backward(const dnnl_api *api, const dnnl_api_shapes *s,
                                        bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_eltwise_desc_t d;
    dnnl_status_t status =
        dnnl_eltwise_backward_desc_init(&d, s->algorithm, s->dst, s->src, s->alpha, s->beta);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_binary(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                              dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_binary_desc_t d;
    dnnl_status_t status = dnnl_binary_desc_init(&d, s->algorithm, s->src, s->weights, s->dst);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_batch_norm_forward(const dnnl_api *api, const dnnl_api_shapes *s,
                                          bool training, dnnl_primitive_desc_t *out) {
    dnnl_batch_normalization_desc_t d;
    dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(&d, forward_kind(training),
                                                                      s->src, s->epsilon, s->flags);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_batch_norm_backward(const dnnl_api *api, const dnnl_api_shapes *s,
                                           bool training, dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_batch_normalization_desc_t d;
    dnnl_status_t status = dnnl_batch_normalization_backward_desc_init(
        &d, dnnl_backward, s->dst, s->src, s->epsilon, s->flags);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_lrn_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                   dnnl_primitive_desc_t *out) {
    dnnl_lrn_desc_t d;
    dnnl_status_t status =
        dnnl_lrn_forward_desc_init(&d, forward_kind(training), dnnl_lrn_across_channels, s->src,
                                   s->size, s->alpha, s->beta, s->bias_value);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_lrn_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_lrn_desc_t d;
    dnnl_status_t status = dnnl_lrn_backward_desc_init(&d, dnnl_lrn_across_channels, s->dst, s->src,
                                                       s->size, s->alpha, s->beta, s->bias_value);
    return make(api, status, &d, s, out);
}

dnnl_status_t dnnl_api_concat(const dnnl_api *api, const dnnl_api_desc *src, int count, int axis,
                              dnnl_api_desc dst, dnnl_primitive_desc_t *out) {
    dnnl_memory_desc_t *row = base_array((size_t)count, sizeof *row);
    if (row == NULL)
        return dnnl_out_of_memory;
    for (int i = 0; i < count; i++)
        row[i] = *src[i];
    dnnl_status_t status =
        dnnl_concat_primitive_desc_create(out, dst, count, axis, row, api->attributes, api->engine);
    base_free(row);
    return status;
}

#endif
