/* Images by class: held where they fit, else streamed. */
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/pool.h"
#include "data/formats.h"
#include "data/stock.h"

/* Images that are decoded between two looks at what the caller wants. */
#define ROUND 1024U

static admmnn_status measure_one(data_stock *stock, size_t i, stock_room *room,
                                 image_extent *extent, bool *found, admmnn_error *err) {
    admmnn_error reason = {ADMMNN_OK, ""};
    const admmnn_status status = stock_measure(stock, i, room, extent, &reason);
    *found = status == ADMMNN_OK;
    if (*found)
        return ADMMNN_OK;
    if (stock_is_damage(status))
        return stock_note_damage(stock, i, &reason, err);
    return base_fail(err, status, "%s", reason.message);
}

/* The extent of the first image that tells one. */
static admmnn_status measure_first(data_stock *stock, image_extent *extent, admmnn_error *err) {
    stock_room room = {0};
    bool found = false;
    admmnn_status status = ADMMNN_OK;
    for (size_t i = 0; i < stock->count && !found && status == ADMMNN_OK; i++)
        status = measure_one(stock, i, &room, extent, &found, err);
    stock_room_free(&room);
    if (status == ADMMNN_OK && !found)
        return base_fail(err, ADMMNN_CORRUPT, "%s: no image of %s/ can be read", stock->path,
                         stock->part);
    return status;
}

/* ---- holding ---- */

typedef struct holding {
    data_set *set;
    stock_room *rooms; /* of the pool's threads */
    admmnn_error *errors;
    size_t first, count; /* of the round */
} holding;

static void make_some(void *argument, unsigned thread, unsigned threads) {
    holding *h = argument;
    const size_t elements = graph_shape_count(h->set->shape);
    for (size_t i = thread; i < h->count; i += threads)
        h->errors[i].status = stock_make(h->set->stock, h->first + i, 0, NULL, &h->rooms[thread],
                                         h->set->pixels + (h->first + i) * elements, &h->errors[i]);
}

/* Moves the whole images of a round down to those before them. */
static admmnn_status take_round(holding *h, size_t *kept, admmnn_error *err) {
    data_set *set = h->set;
    const size_t elements = graph_shape_count(set->shape);
    for (size_t i = 0; i < h->count; i++) {
        const admmnn_error *reason = &h->errors[i];
        const size_t from = h->first + i;
        if (reason->status != ADMMNN_OK && !stock_is_damage(reason->status))
            return base_fail(err, reason->status, "%s", reason->message);
        if (reason->status != ADMMNN_OK) {
            BASE_TRY(stock_note_damage(set->stock, from, reason, err));
            continue;
        }
        if (*kept != from)
            memcpy(set->pixels + *kept * elements, set->pixels + from * elements, elements);
        set->labels[(*kept)++] = set->labels[from];
    }
    return ADMMNN_OK;
}

static admmnn_status hold_by(base_pool *pool, holding *h, admmnn_error *err) {
    data_stock *stock = h->set->stock;
    size_t kept = 0;
    while (h->first < stock->count) {
        const size_t left = stock->count - h->first;
        h->count = left < ROUND ? left : ROUND;
        base_pool_run(pool, make_some, h);
        BASE_TRY(take_round(h, &kept, err));
        h->first += h->count;
        const admmnn_progress progress = {.task = "decoding the images",
                                          .unit = "images",
                                          .done = h->first,
                                          .total = stock->count,
                                          .run_done = -1.0};
        base_progress(stock->context, &progress);
        if (base_cancelled(stock->context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request while %s was read",
                             stock->path);
    }
    h->set->count = kept;
    return ADMMNN_OK;
}

static admmnn_status hold(data_set *set, admmnn_error *err) {
    const admmnn_context *context = set->stock->context;
    base_pool *pool;
    BASE_TRY(base_pool_create(context == NULL ? 0 : context->threads, &pool, err));
    const unsigned threads = base_pool_threads(pool);
    holding h = {.set = set,
                 .rooms = base_array(threads, sizeof *h.rooms),
                 .errors = base_array(ROUND, sizeof *h.errors)};
    set->pixels = base_array(set->count, graph_shape_count(set->shape));
    admmnn_status status = h.rooms == NULL || h.errors == NULL || set->pixels == NULL
                               ? base_fail_memory(err, set->stock->path)
                               : hold_by(pool, &h, err);
    for (unsigned t = 0; h.rooms != NULL && t < threads; t++)
        stock_room_free(&h.rooms[t]);
    base_free(h.rooms);
    base_free(h.errors);
    base_pool_destroy(pool);
    BASE_TRY(status);
    stock_close(set->stock);
    set->stock = NULL;
    return ADMMNN_OK;
}

/* ---- opening ---- */

static bool fits(const data_settings *settings, const data_set *set) {
    size_t bytes;
    return base_multiply(set->count, graph_shape_count(set->shape), &bytes) &&
           bytes <= settings->memory;
}

static admmnn_status fill(const data_settings *settings, data_set *set, admmnn_error *err) {
    data_stock *stock = set->stock;
    image_extent first;
    BASE_TRY(measure_first(stock, &first, err));
    const uint32_t width = settings->size == 0 ? first.width : settings->size;
    const uint32_t height = settings->size == 0 ? first.height : settings->size;
    set->shape = graph_shape_image(settings->grey ? 1 : 3, height, width);
    set->count = stock->count;
    set->classes = stock->classes;
    stock->shape = set->shape;
    stock->resize = settings->resize > 0 ? settings->resize : settings->size;
    set->labels = base_array(set->count, sizeof *set->labels);
    if (set->labels == NULL)
        return base_fail_memory(err, stock->path);
    for (size_t i = 0; i < set->count; i++)
        set->labels[i] = stock->entries[i].label;
    /* What is held has the set's shape: crops of larger images would lose by it. */
    const bool larger = first.width != width || first.height != height;
    return fits(settings, set) && !(settings->crops && larger) ? hold(set, err) : ADMMNN_OK;
}

admmnn_status folder_open(const data_settings *settings, data_part part, data_set *out,
                          admmnn_error *err) {
    data_set set = {0};
    BASE_TRY(stock_open(settings, part, &set.stock, err));
    const admmnn_status status = fill(settings, &set, err);
    if (status != ADMMNN_OK) {
        data_set_free(&set);
        return status;
    }
    *out = set;
    return ADMMNN_OK;
}
