#include "engine/dnnl_record.h"

#include <string.h>

#include "base/memory.h"
#include "engine/dnnl_own.h"

/* ---- shapes and formats ---- */

int dnnl_value_dims(const dnnl_network *d, uint32_t value, dnnl_dims_t dims) {
    const graph_shape shape = d->graph->values[value].shape;
    dims[0] = (dnnl_dim_t)d->plan.samples;
    dims[1] = 1;
    for (uint32_t i = 0; i < shape.rank; i++)
        dims[i + 1] = shape.dims[i];
    return shape.rank == 0 ? 2 : (int)shape.rank + 1;
}

int dnnl_image_dims(const dnnl_network *d, uint32_t value, dnnl_dims_t dims) {
    const graph_shape shape = d->graph->values[value].shape;
    dims[0] = (dnnl_dim_t)d->plan.samples;
    dims[1] = graph_shape_channels(shape);
    dims[2] = graph_shape_height(shape);
    dims[3] = graph_shape_width(shape);
    return 4;
}

admmnn_status dnnl_describe(int ndims, const dnnl_dims_t dims, bool any, dnnl_api_desc *out,
                            admmnn_error *err) {
    dnnl_status_t status = dnnl_api_desc_create(ndims, dims, any, out);
    return status == dnnl_success ? ADMMNN_OK : tape_fail(err, status, "describing a tensor");
}

admmnn_status dnnl_add_plain(dnnl_network *d, int ndims, const dnnl_dims_t dims, tape_home home,
                             size_t offset, uint32_t *out, admmnn_error *err) {
    dnnl_api_desc desc;
    BASE_TRY(dnnl_describe(ndims, dims, false, &desc, err));
    admmnn_status status = tape_tensor_add(&d->tape, desc, home, offset, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

admmnn_status dnnl_add_in_lanes(dnnl_network *d, const dnnl_dims_t dims, uint32_t *out,
                                admmnn_error *err) {
    dnnl_api_desc desc;
    dnnl_status_t made = dnnl_api_desc_in_lanes(dims, lanes_kernels_get(0)->lanes, &desc);
    if (made != dnnl_success)
        return tape_fail(err, made, "describing a tensor");
    admmnn_status status = tape_tensor_add(&d->tape, desc, TAPE_ARENA, 0, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

static bool has_dims(dnnl_api_desc desc, int ndims, const dnnl_dims_t dims) {
    dnnl_dims_t own;
    return dnnl_api_desc_dims(desc, own) == ndims &&
           memcmp(own, dims, (size_t)ndims * sizeof *dims) == 0;
}

/* Row-major in its own dimensions. */
static admmnn_status straighten(dnnl_network *d, uint32_t tensor, uint32_t *out,
                                admmnn_error *err) {
    dnnl_dims_t dims;
    dnnl_api_desc desc;
    const int ndims = dnnl_api_desc_dims(dnnl_format(d, tensor), dims);
    BASE_TRY(dnnl_describe(ndims, dims, false, &desc, err));
    admmnn_status status = tape_reorder(&d->tape, tensor, desc, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

admmnn_status dnnl_shaped(dnnl_network *d, uint32_t tensor, int ndims, const dnnl_dims_t dims,
                          uint32_t *out, admmnn_error *err) {
    *out = tensor;
    if (has_dims(dnnl_format(d, tensor), ndims, dims))
        return ADMMNN_OK;
    uint32_t plain;
    dnnl_api_desc desc;
    BASE_TRY(straighten(d, tensor, &plain, err));
    BASE_TRY(dnnl_describe(ndims, dims, false, &desc, err));
    admmnn_status status = tape_view(&d->tape, plain, desc, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

admmnn_status dnnl_plain(dnnl_network *d, uint32_t value, uint32_t tensor, uint32_t *out,
                         admmnn_error *err) {
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, value, dims);
    BASE_TRY(dnnl_shaped(d, tensor, ndims, dims, out, err));
    return straighten(d, *out, out, err);
}

admmnn_status dnnl_out_of_lanes(dnnl_network *d, uint32_t tensor, uint32_t *out,
                                admmnn_error *err) {
    *out = tensor;
    if (!dnnl_layout(d, tensor).in_lanes)
        return ADMMNN_OK;
    dnnl_dims_t dims;
    dnnl_api_desc desc;
    dnnl_api_desc_dims(dnnl_format(d, tensor), dims);
    const size_t block = lanes_kernels_get(0)->lanes == LANES_BLOCK_MAX ? LANES_BLOCK_MAX : 8;
    dnnl_status_t made = dnnl_api_desc_in_blocks(dims, block, &desc);
    if (made != dnnl_success)
        return tape_fail(err, made, "describing a tensor");
    admmnn_status status = tape_reorder(&d->tape, tensor, desc, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

/* ---- primitives ---- */

/* oneDNN names its unoptimised implementations "ref...". */
static bool is_slow(const_dnnl_primitive_desc_t what) {
    const char *name = NULL;
    dnnl_status_t status = dnnl_primitive_desc_query(what, dnnl_query_impl_info_str, 0, &name);
    return status == dnnl_success && strncmp(name, "ref", 3) == 0;
}

admmnn_status dnnl_choose(const dnnl_network *d, dnnl_api_make *make,
                          const dnnl_api_shapes *preferred, const dnnl_api_shapes *open,
                          const char *name, dnnl_primitive_desc_t *out, admmnn_error *err) {
    const bool training = d->plan.training;
    dnnl_status_t first = make(&d->tape.api, preferred, training, out);
    if (first == dnnl_success && !is_slow(*out))
        return ADMMNN_OK;
    dnnl_primitive_desc_t other;
    dnnl_status_t second = make(&d->tape.api, open, training, &other);
    if (second == dnnl_success && (first != dnnl_success || !is_slow(other))) {
        if (first == dnnl_success)
            dnnl_primitive_desc_destroy(*out);
        *out = other;
        return ADMMNN_OK;
    }
    if (second == dnnl_success)
        dnnl_primitive_desc_destroy(other);
    return first == dnnl_success ? ADMMNN_OK : tape_fail(err, first, name);
}

admmnn_status dnnl_call_once(dnnl_network *d, dnnl_primitive_desc_t what,
                             const tape_argument *arguments, int count, admmnn_error *err) {
    admmnn_status status = tape_call_add(&d->tape, what, arguments, count, err);
    dnnl_primitive_desc_destroy(what);
    return status;
}

/* ---- marks ---- */

admmnn_status dnnl_add_mark(dnnl_network *d, dnnl_mark mark, admmnn_error *err) {
    dnnl_mark *marks = base_array_grow(d->marks, d->mark_count, &d->mark_capacity, sizeof *marks);
    if (marks == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->marks = marks;
    mark.call = d->tape.call_count;
    mark.when = d->tape.when;
    marks[d->mark_count++] = mark;
    if (mark.own != NULL)
        return dnnl_own_mark(d, &mark, err);
    int count = 0;
    const uint32_t used[] = {mark.x, mark.y, mark.z, mark.made, mark.normalized, mark.added};
    const int most = sizeof used / sizeof *used;
    tape_argument arguments[sizeof used / sizeof *used];
    for (int i = 0; i < most; i++)
        if (used[i] != TAPE_NONE)
            arguments[count++] = (tape_argument){DNNL_ARG_MULTIPLE_SRC + i, used[i]};
    return tape_call_add(&d->tape, NULL, arguments, count, err);
}

dnnl_mark dnnl_mark_alone(dnnl_work work, uint32_t x, uint32_t y) {
    return (dnnl_mark){.work = work,
                       .x = x,
                       .y = y,
                       .z = TAPE_NONE,
                       .made = TAPE_NONE,
                       .normalized = TAPE_NONE,
                       .added = TAPE_NONE};
}

dnnl_mark dnnl_mark_of(const dnnl_network *d, const dnnl_node *n, dnnl_work work, uint32_t x,
                       uint32_t y) {
    dnnl_mark mark = dnnl_mark_alone(work, x, y);
    mark.node = (uint32_t)(n->node - d->graph->nodes);
    mark.norm = n->norm_number;
    return mark;
}

/* ---- who still needs what ---- */

static tape_tensor *base_of(const dnnl_network *d, uint32_t tensor) {
    return &d->tape.tensors[d->tape.tensors[tensor].base];
}

void dnnl_keep(dnnl_network *d, uint32_t tensor, tape_kept how) {
    tape_tensor *base = base_of(d, tensor);
    if (d->plan.training && how > base->kept)
        base->kept = how;
}

void dnnl_keep_zeros(dnnl_network *d, uint32_t tensor) {
    tape_tensor *base = base_of(d, tensor);
    if (base->kept == TAPE_SIGNS)
        base->kept = TAPE_KEPT;
}

bool dnnl_may_overwrite(const dnnl_network *d, uint32_t value, tape_kept kept) {
    const tape_tensor *base = base_of(d, d->tensor[value]);
    uint32_t left = 0;
    for (uint32_t v = 0; v < d->graph->value_count; v++)
        if (d->tensor[v] != TAPE_NONE && base_of(d, d->tensor[v]) == base)
            left += d->left[v];
    return base->home == TAPE_ARENA && !base->prepared && base->kept <= kept && left == 1;
}

/* ---- gradients ---- */

bool dnnl_is_free(const dnnl_network *d, uint32_t tensor) {
    for (uint32_t v = 0; v < d->graph->value_count; v++)
        for (int i = 0; i < 2; i++)
            if (d->terms[v][i] != TAPE_NONE && base_of(d, d->terms[v][i]) == base_of(d, tensor))
                return false;
    return true;
}

admmnn_status dnnl_gradient_beside(dnnl_network *d, uint32_t dy, uint32_t *out, admmnn_error *err) {
    *out = dy;
    if (dnnl_is_free(d, dy))
        return ADMMNN_OK;
    return tape_tensor_add(&d->tape, dnnl_format(d, dy), TAPE_ARENA, 0, out, err);
}

/* The sum of two gradients, in one of them where that is free. */
static admmnn_status add_terms(dnnl_network *d, uint32_t a, uint32_t b, uint32_t *out,
                               admmnn_error *err) {
    if (!dnnl_is_free(d, a)) {
        const uint32_t other = a;
        a = b;
        b = other;
    }
    dnnl_dims_t dims;
    const int ndims = dnnl_api_desc_dims(dnnl_format(d, a), dims);
    BASE_TRY(dnnl_shaped(d, b, ndims, dims, &b, err));
    BASE_TRY(tape_reorder(&d->tape, b, dnnl_format(d, a), &b, err));
    BASE_TRY(dnnl_gradient_beside(d, a, out, err));
    const dnnl_api_shapes shapes = {.src = dnnl_format(d, a),
                                    .weights = dnnl_format(d, b),
                                    .dst = dnnl_format(d, *out),
                                    .algorithm = dnnl_binary_add};
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_binary(&d->tape.api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, "a sum of gradients");
    const tape_argument arguments[] = {
        {DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, *out}};
    tape_overwrite(&d->tape, *out);
    return dnnl_call_once(d, what, arguments, 3, err);
}

admmnn_status dnnl_take_gradient(dnnl_network *d, uint32_t value, uint32_t *out,
                                 admmnn_error *err) {
    uint32_t *terms = d->terms[value];
    const uint32_t a = terms[0];
    const uint32_t b = terms[1];
    terms[0] = TAPE_NONE;
    terms[1] = TAPE_NONE;
    *out = a;
    return b == TAPE_NONE ? ADMMNN_OK : add_terms(d, a, b, out, err);
}

admmnn_status dnnl_add_gradient(dnnl_network *d, uint32_t value, uint32_t tensor,
                                admmnn_error *err) {
    uint32_t *terms = d->terms[value];
    dnnl_dims_t dims;
    if (!d->wanted[value])
        return ADMMNN_OK;
    BASE_TRY(dnnl_shaped(d, tensor, dnnl_value_dims(d, value, dims), dims, &tensor, err));
    if (terms[0] == TAPE_NONE) {
        terms[0] = tensor;
        return ADMMNN_OK;
    }
    if (terms[1] == TAPE_NONE) {
        terms[1] = tensor;
        return ADMMNN_OK;
    }
    /* The tensor, too, may be one of the two that are added up: it is held before they are. */
    const uint32_t a = terms[0];
    const uint32_t b = terms[1];
    terms[0] = tensor;
    terms[1] = TAPE_NONE;
    return add_terms(d, a, b, &terms[1], err);
}
