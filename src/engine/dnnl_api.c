#include "engine/dnnl_api.h"

#include <string.h>

#include "base/memory.h"

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/* OpenMP 5.2, sections 18.2.1 and 18.2.3. Declared here because clang finds
 * omp.h only with a runtime of its own, and two runtimes must not meet. */
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);

int dnnl_api_set_threads(int threads) {
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}
#else
int dnnl_api_set_threads(int threads) {
    return threads;
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

static dnnl_format_tag_t tag_of(int ndims, bool any) {
    if (any)
        return dnnl_format_tag_any;
    return ndims == 1 ? dnnl_a : ndims == 2 ? dnnl_ab : dnnl_abcd;
}

static dnnl_prop_kind_t forward_kind(bool training) {
    return training ? dnnl_forward_training : dnnl_forward_inference;
}

dnnl_status_t dnnl_api_reorder(const dnnl_api *api, dnnl_api_desc from, dnnl_api_desc to,
                               dnnl_primitive_desc_t *out) {
    return dnnl_reorder_primitive_desc_create(out, from, api->engine, to, api->engine,
                                              api->attributes);
}

#if DNNL_VERSION_MAJOR >= 3

static const dnnl_dims_t no_dilation = {0};

dnnl_status_t dnnl_api_desc_create(int ndims, const dnnl_dims_t dims, bool any,
                                   dnnl_api_desc *out) {
    dnnl_memory_desc_t desc;
    dnnl_status_t status =
        dnnl_memory_desc_create_with_tag(&desc, ndims, dims, dnnl_f32, tag_of(ndims, any));
    if (status == dnnl_success)
        *out = desc;
    return status;
}

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

dnnl_status_t dnnl_api_conv_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    return dnnl_convolution_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), dnnl_convolution_direct, s->src, s->weights,
        s->bias, s->dst, s->window->stride, no_dilation, s->window->pad, s->window->pad,
        api->attributes);
}

dnnl_status_t dnnl_api_conv_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, api->engine, dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, no_dilation, s->window->pad, s->window->pad, s->forward,
        api->attributes);
}

dnnl_status_t dnnl_api_conv_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                 dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_convolution_backward_data_primitive_desc_create(
        out, api->engine, dnnl_convolution_direct, s->src, s->weights, s->dst, s->window->stride,
        no_dilation, s->window->pad, s->window->pad, s->forward, api->attributes);
}

dnnl_status_t dnnl_api_product_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    return dnnl_inner_product_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), s->src, s->weights, s->bias, s->dst,
        api->attributes);
}

dnnl_status_t dnnl_api_product_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        out, api->engine, s->src, s->weights, s->bias, s->dst, s->forward, api->attributes);
}

dnnl_status_t dnnl_api_product_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_inner_product_backward_data_primitive_desc_create(
        out, api->engine, s->src, s->weights, s->dst, s->forward, api->attributes);
}

dnnl_status_t dnnl_api_pool_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    return dnnl_pooling_forward_primitive_desc_create(
        out, api->engine, forward_kind(training), dnnl_pooling_max, s->src, s->dst,
        s->window->stride, s->window->kernel, no_dilation, s->window->pad, s->window->pad,
        api->attributes);
}

dnnl_status_t dnnl_api_pool_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_pooling_backward_primitive_desc_create(
        out, api->engine, dnnl_pooling_max, s->src, s->dst, s->window->stride, s->window->kernel,
        no_dilation, s->window->pad, s->window->pad, s->forward, api->attributes);
}

dnnl_status_t dnnl_api_relu_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    return dnnl_eltwise_forward_primitive_desc_create(out, api->engine, forward_kind(training),
                                                      dnnl_eltwise_relu_use_dst_for_bwd, s->src,
                                                      s->src, 0.0F, 0.0F, api->attributes);
}

dnnl_status_t dnnl_api_relu_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    return dnnl_eltwise_backward_primitive_desc_create(
        out, api->engine, dnnl_eltwise_relu_use_dst_for_bwd, s->dst, s->dst, s->src, 0.0F, 0.0F,
        s->forward, api->attributes);
}

#else

dnnl_status_t dnnl_api_desc_create(int ndims, const dnnl_dims_t dims, bool any,
                                   dnnl_api_desc *out) {
    dnnl_memory_desc_t desc;
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&desc, ndims, dims, dnnl_f32, tag_of(ndims, any));
    return status == dnnl_success ? dnnl_api_desc_copy(&desc, out) : status;
}

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

static dnnl_status_t make(const dnnl_api *api, dnnl_status_t status, const_dnnl_op_desc_t operation,
                          const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *out) {
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(out, operation, api->attributes, api->engine, forward);
}

dnnl_status_t dnnl_api_conv_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &d, forward_kind(training), dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst,
        s->window->stride, s->window->pad, s->window->pad);
    return make(api, status, &d, NULL, out);
}

dnnl_status_t dnnl_api_conv_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_backward_weights_desc_init(
        &d, dnnl_convolution_direct, s->src, s->weights, s->bias, s->dst, s->window->stride,
        s->window->pad, s->window->pad);
    return make(api, status, &d, s->forward, out);
}

dnnl_status_t dnnl_api_conv_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                 dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_backward_data_desc_init(
        &d, dnnl_convolution_direct, s->src, s->weights, s->dst, s->window->stride, s->window->pad,
        s->window->pad);
    return make(api, status, &d, s->forward, out);
}

dnnl_status_t dnnl_api_product_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    dnnl_inner_product_desc_t d;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(&d, forward_kind(training), s->src,
                                                                s->weights, s->bias, s->dst);
    return make(api, status, &d, NULL, out);
}

dnnl_status_t dnnl_api_product_weights(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                       dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_inner_product_desc_t d;
    dnnl_status_t status =
        dnnl_inner_product_backward_weights_desc_init(&d, s->src, s->weights, s->bias, s->dst);
    return make(api, status, &d, s->forward, out);
}

dnnl_status_t dnnl_api_product_data(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_inner_product_desc_t d;
    dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&d, s->src, s->weights, s->dst);
    return make(api, status, &d, s->forward, out);
}

dnnl_status_t dnnl_api_pool_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    dnnl_pooling_desc_t d;
    dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &d, forward_kind(training), dnnl_pooling_max, s->src, s->dst, s->window->stride,
        s->window->kernel, s->window->pad, s->window->pad);
    return make(api, status, &d, NULL, out);
}

dnnl_status_t dnnl_api_pool_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_pooling_desc_t d;
    dnnl_status_t status =
        dnnl_pooling_backward_desc_init(&d, dnnl_pooling_max, s->src, s->dst, s->window->stride,
                                        s->window->kernel, s->window->pad, s->window->pad);
    return make(api, status, &d, s->forward, out);
}

dnnl_status_t dnnl_api_relu_forward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                    dnnl_primitive_desc_t *out) {
    dnnl_eltwise_desc_t d;
    dnnl_status_t status = dnnl_eltwise_forward_desc_init(
        &d, forward_kind(training), dnnl_eltwise_relu_use_dst_for_bwd, s->src, 0.0F, 0.0F);
    return make(api, status, &d, NULL, out);
}

dnnl_status_t dnnl_api_relu_backward(const dnnl_api *api, const dnnl_api_shapes *s, bool training,
                                     dnnl_primitive_desc_t *out) {
    (void)training;
    dnnl_eltwise_desc_t d;
    dnnl_status_t status = dnnl_eltwise_backward_desc_init(&d, dnnl_eltwise_relu_use_dst_for_bwd,
                                                           s->dst, s->src, 0.0F, 0.0F);
    return make(api, status, &d, s->forward, out);
}

#endif
