/* Sets whose nonzeros come in groups: the projection keeps the groups of largest
 * energy, the sum of squares, because the squared distance to the set is the
 * energy of what is left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "admm/set_class.h"
#include "base/memory.h"

typedef enum grouping { BY_FILTER, BY_CHANNEL, BY_COLUMN, BY_BLOCK } grouping;

typedef struct group_set {
    admm_set set;
    grouping grouping;
    admm_shape shape;
    size_t block_rows, block_columns;
    size_t groups, kept;
} group_set;

typedef struct n_of_m_set {
    admm_set set;
    admm_shape shape;
    size_t n, m;
} n_of_m_set;

static size_t columns_of(admm_shape shape) {
    return shape.inputs * shape.taps;
}

static size_t group_of(const group_set *s, size_t row, size_t column) {
    switch (s->grouping) {
    case BY_FILTER:
        return row;
    case BY_CHANNEL:
        return column / s->shape.taps;
    case BY_COLUMN:
        return column;
    default: {
        size_t across = (columns_of(s->shape) + s->block_columns - 1) / s->block_columns;
        return row / s->block_rows * across + column / s->block_columns;
    }
    }
}

static admmnn_status check_count(const char *name, admm_shape shape, size_t count,
                                 admmnn_error *err) {
    if (shape.rows * columns_of(shape) == count)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_USAGE, "%s set of %zux%zux%zu got %zu values", name, shape.rows,
                     shape.inputs, shape.taps, count);
}

static void add_energies(const group_set *s, const float *v, double *energy) {
    const size_t columns = columns_of(s->shape);
    for (size_t row = 0; row < s->shape.rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            double value = (double)v[row * columns + column];
            energy[group_of(s, row, column)] += value * value;
        }
    }
}

typedef struct ranked {
    double energy;
    size_t group;
} ranked;

static int by_energy(const void *left, const void *right) {
    const ranked *a = left;
    const ranked *b = right;
    if (a->energy != b->energy)
        return a->energy > b->energy ? -1 : 1;
    return (a->group > b->group) - (a->group < b->group);
}

static admmnn_status project_groups(admm_set *set, const float *v, float *z, size_t count,
                                    admmnn_error *err) {
    const group_set *s = (const group_set *)set;
    BASE_TRY(check_count(set->class->name, s->shape, count, err));
    const size_t columns = columns_of(s->shape);
    double *energy = base_array(s->groups, sizeof *energy);
    ranked *order = base_array(s->groups, sizeof *order);
    uint8_t *keep = base_array(s->groups, 1);
    if (energy == NULL || order == NULL || keep == NULL) {
        base_free(energy);
        base_free(order);
        base_free(keep);
        return base_fail_memory(err, "a projection");
    }
    add_energies(s, v, energy);
    for (size_t g = 0; g < s->groups; g++)
        order[g] = (ranked){energy[g], g};
    qsort(order, s->groups, sizeof *order, by_energy);
    for (size_t k = 0; k < s->kept; k++)
        keep[order[k].group] = 1;
    for (size_t i = 0; i < count; i++)
        z[i] = keep[group_of(s, i / columns, i % columns)] != 0 ? v[i] : 0.0F;
    base_free(energy);
    base_free(order);
    base_free(keep);
    return ADMMNN_OK;
}

/* Marks the n largest magnitudes of one run of at most m values. */
static void keep_run(const float *v, size_t length, size_t n, float *z) {
    size_t kept = length < n ? length : n;
    for (size_t i = 0; i < length; i++) {
        size_t larger = 0;
        for (size_t j = 0; j < length; j++)
            larger += fabsf(v[j]) > fabsf(v[i]) || (fabsf(v[j]) == fabsf(v[i]) && j < i);
        z[i] = larger < kept ? v[i] : 0.0F;
    }
}

static admmnn_status project_n_of_m(admm_set *set, const float *v, float *z, size_t count,
                                    admmnn_error *err) {
    const n_of_m_set *s = (const n_of_m_set *)set;
    BASE_TRY(check_count(set->class->name, s->shape, count, err));
    const size_t columns = columns_of(s->shape);
    float *run = base_array(s->m, sizeof *run);
    if (run == NULL)
        return base_fail_memory(err, "a projection");
    for (size_t row = 0; row < s->shape.rows; row++) {
        for (size_t at = 0; at < columns; at += s->m) {
            size_t length = columns - at < s->m ? columns - at : s->m;
            memcpy(run, v + row * columns + at, length * sizeof *run);
            keep_run(run, length, s->n, z + row * columns + at);
        }
    }
    base_free(run);
    return ADMMNN_OK;
}

static void release(admm_set *set) {
    base_free(set);
}

static const admm_set_class filter_class = {"filters", project_groups, release};
static const admm_set_class channel_class = {"channels", project_groups, release};
static const admm_set_class column_class = {"columns", project_groups, release};
static const admm_set_class block_class = {"blocks", project_groups, release};
static const admm_set_class n_of_m_class = {"n-of-m", project_n_of_m, release};

static admmnn_status check_shape(const char *name, admm_shape shape, admmnn_error *err) {
    size_t count;
    if (shape.rows > 0 && shape.inputs > 0 && shape.taps > 0 &&
        base_multiply(shape.inputs, shape.taps, &count) && base_multiply(count, shape.rows, &count))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_USAGE, "%s set: impossible shape %zux%zux%zu", name, shape.rows,
                     shape.inputs, shape.taps);
}

static admmnn_status make_groups(const admm_set_class *class, group_set wanted, admm_set **out,
                                 admmnn_error *err) {
    if (wanted.kept > wanted.groups)
        return base_fail(err, ADMMNN_USAGE, "%s set: %zu to keep of %zu", class->name, wanted.kept,
                         wanted.groups);
    group_set *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a set of groups");
    *s = wanted;
    s->set.class = class;
    *out = &s->set;
    return ADMMNN_OK;
}

admmnn_status admm_set_filters(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err) {
    BASE_TRY(check_shape("filters", shape, err));
    group_set s = {.grouping = BY_FILTER, .shape = shape, .groups = shape.rows, .kept = kept};
    return make_groups(&filter_class, s, out, err);
}

admmnn_status admm_set_channels(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err) {
    BASE_TRY(check_shape("channels", shape, err));
    group_set s = {.grouping = BY_CHANNEL, .shape = shape, .groups = shape.inputs, .kept = kept};
    return make_groups(&channel_class, s, out, err);
}

admmnn_status admm_set_columns(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err) {
    BASE_TRY(check_shape("columns", shape, err));
    group_set s = {
        .grouping = BY_COLUMN, .shape = shape, .groups = columns_of(shape), .kept = kept};
    return make_groups(&column_class, s, out, err);
}

admmnn_status admm_set_blocks(admm_shape shape, size_t block_rows, size_t block_columns,
                              size_t kept, admm_set **out, admmnn_error *err) {
    BASE_TRY(check_shape("blocks", shape, err));
    if (block_rows == 0 || block_columns == 0)
        return base_fail(err, ADMMNN_USAGE, "blocks set: a block of %zux%zu", block_rows,
                         block_columns);
    size_t down = (shape.rows - 1) / block_rows + 1;
    size_t across = (columns_of(shape) - 1) / block_columns + 1;
    group_set s = {.grouping = BY_BLOCK,
                   .shape = shape,
                   .block_rows = block_rows,
                   .block_columns = block_columns,
                   .groups = down * across,
                   .kept = kept};
    return make_groups(&block_class, s, out, err);
}

admmnn_status admm_set_n_of_m(admm_shape shape, size_t n, size_t m, admm_set **out,
                              admmnn_error *err) {
    BASE_TRY(check_shape("n-of-m", shape, err));
    if (n > m || m == 0 || m > 1024)
        return base_fail(err, ADMMNN_USAGE, "n-of-m set: %zu of %zu (m at most 1024)", n, m);
    n_of_m_set *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "an n-of-m set");
    *s = (n_of_m_set){.set = {.class = &n_of_m_class}, .shape = shape, .n = n, .m = m};
    *out = &s->set;
    return ADMMNN_OK;
}
