#include "tiling.h"

#include <string.h>

#include "codes.h"

/* Numbers of strips that are compared. */
#define STRIPS_TRIED 16U
/* Threads share rows of a layer in so many slices at most; layers of fewer multiply-adds of a
 * vector are not worth a wake-up. */
#define SLICES_MOST 4U
#define SHARED_LEAST 30000U
/* Rows that are finished together before they are pooled or become codes; a multiple of
 * RT_BAND_ROWS. */
#define FINISHED_ROWS 16U
/* Of an input of codes that are floats before they are in the panel. */
#define WIDENED_BYTES 8192U
/* Places in the panel are 16 bits wide where a channel lets them. */
#define PANEL_MOST ((uint64_t)UINT16_MAX + 1)

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* What lies between the first and the last that a kernel reads. */
static uint64_t reach_of(const rt_window *w, int axis) {
    return (uint64_t)(w->kernel[axis] - 1) * w->dilation[axis];
}

static size_t pitch_of(const rt_tiling *t) {
    return t->vectors * t->kernels->lanes;
}

/* Lines of outputs, of `fold` rows each, of which the last may be no outputs. */
static size_t lines_of(const rt_tiling *t, size_t rows) {
    return (rows + t->fold - 1) / t->fold;
}

static size_t filled_rows(const rt_tiling *t, size_t rows) {
    return lines_of(t, rows) * t->fold;
}

static size_t lanes_of_row(const rt_tiling *t) {
    return t->kernels->lanes / t->fold;
}

/* Rows of the input whose numbers have the same remainder by the stride stand below each other. */
static size_t remainders_of(const rt_window *w) {
    return (size_t)smaller(w->stride[0], reach_of(w, 0) + 1);
}

/* ---- shapes ---- */

/* Tiles of so many strips: false where the rows of a unit are more than registers, or a half of a
 * folded vector, hold. */
static bool cut_planes(const rt_kernels *kernels, size_t fold, const rt_window *window,
                       const uint32_t out[2], uint64_t strips, rt_tiling *t) {
    const uint64_t columns = divide_up(out[1] / t->unit, strips) * t->unit;
    const uint64_t vectors = divide_up(columns, kernels->lanes / fold);
    if (vectors > (fold == 1 ? kernels->tile_vectors / t->unit : 1))
        return false;
    const uint64_t units = out[0] / t->unit;
    const uint64_t most = kernels->tile_vectors / vectors * fold / t->unit;
    const uint64_t tiles = divide_up(units, smaller(most, units));
    const uint64_t rows = divide_up(units, tiles) * t->unit;
    t->kernels = kernels;
    t->window = window;
    t->fold = fold;
    t->columns = (size_t)columns;
    t->rows = (size_t)rows;
    t->vectors = (size_t)vectors;
    t->strips = (size_t)divide_up(out[1], columns);
    t->tiles = (size_t)tiles;
    t->lines = lines_of(t, t->rows) + (size_t)(reach_of(window, 0) / window->stride[0] / fold);
    return true;
}

/* Of a weight, in sixteenths of a vector's multiply-add: what it takes itself counts as two of
 * them, and each row of a vector of the panel as a sixteenth. */
static uint64_t cost_of(const rt_tiling *t) {
    const uint64_t filling = t->window->kernel[1] * (uint64_t)t->lines * t->vectors * t->fold;
    const uint64_t tile = 16 * (uint64_t)lines_of(t, t->rows) * t->vectors + filling + 32;
    return tile * t->tiles * t->strips;
}

/* The fewest strips that registers hold, and some more. */
static void find_tiles(const rt_kernels *kernels, size_t fold, const rt_window *window,
                       const uint32_t out[2], rt_tiling *best) {
    const uint64_t most =
        fold == 1 ? kernels->lanes * kernels->tile_vectors / best->unit : kernels->lanes / fold;
    const uint64_t least = divide_up(out[1], most);
    rt_tiling t = *best;
    for (uint64_t strips = least; strips < least + STRIPS_TRIED && strips <= out[1]; strips++)
        if (cut_planes(kernels, fold, window, out, strips, &t) &&
            (best->kernels == NULL || cost_of(&t) < cost_of(best)))
            *best = t;
}

/* Two rows a vector, where that is a sixteenth less: each half is stored by itself. */
static void fold_tiles(const rt_kernels *kernels, const rt_window *window, const uint32_t out[2],
                       rt_tiling *best) {
    rt_tiling folded = {.kernels = NULL, .unit = best->unit};
    find_tiles(kernels, 2, window, out, &folded);
    if (16 * cost_of(&folded) <= 15 * cost_of(best))
        *best = folded;
}

bool rt_tiling_find(const rt_kernels *kernels, const rt_window *window, const uint32_t in[2],
                    const uint32_t out[2], bool pooled, rt_tiling *tiling) {
    const uint64_t most = smaller(PACK_ELEMENTS_MAX, SIZE_MAX / sizeof(float) / 4);
    memset(tiling, 0, sizeof *tiling);
    tiling->unit = pooled ? 2 : 1;
    if (kernels->narrow != NULL) /* the same vectors of fewer floats are in a smaller panel */
        find_tiles(kernels->narrow, 1, window, out, tiling);
    find_tiles(kernels, 1, window, out, tiling);
    if (kernels->folded_lines != NULL)
        fold_tiles(kernels, window, out, tiling);
    const uint64_t copy =
        (uint64_t)tiling->fold * remainders_of(window) * tiling->lines * pitch_of(tiling);
    if (copy > most / window->kernel[1])
        return false;
    memcpy(tiling->in, in, sizeof tiling->in);
    memcpy(tiling->out, out, sizeof tiling->out);
    tiling->copy = (size_t)copy;
    tiling->channel = (size_t)(copy * window->kernel[1]);
    tiling->channels = 1;
    return true;
}

static uint32_t block_of(const rt_tiling *t) {
    return t->window->kernel[0] * t->window->kernel[1];
}

size_t rt_tiling_place(const rt_tiling *t, uint32_t column) {
    const rt_window *w = t->window;
    const uint32_t tap = column % block_of(t);
    const size_t y = (size_t)(tap / w->kernel[1]) * w->dilation[0];
    const size_t row = y / w->stride[0]; /* of its remainder */
    const size_t remainder = y % w->stride[0] + row % t->fold * remainders_of(w);
    const size_t line = remainder * t->lines + row / t->fold;
    return column / block_of(t) % t->channels * t->channel + tap % w->kernel[1] * t->copy +
           line * pitch_of(t);
}

uint32_t rt_tiling_part(const rt_tiling *t, uint32_t column) {
    return column / block_of(t) / t->channels;
}

uint32_t rt_tiling_cut(rt_tiling *t, uint32_t channels, uint64_t rows, uint64_t kept,
                       rt_form form) {
    const uint64_t bytes =
        form == RT_LIST ? t->kernels->panel_bytes : t->kernels->dense_panel_bytes;
    const uint64_t cached = bytes / sizeof(float) / t->channel;
    const uint64_t parts = kept / rows / t->kernels->part_least; /* at most */
    const uint64_t least = divide_up(channels, parts == 0 ? 1 : parts);
    const uint64_t most = smaller(PANEL_MOST / t->channel, channels);
    const uint64_t wanted = smaller(cached < least ? least : cached, most);
    const uint64_t count = 1 + (channels - 1) / (wanted == 0 ? 1 : wanted);
    const uint64_t each = 1 + (channels - 1) / count; /* as equal as they can be */
    t->channels = (uint32_t)each;
    return (uint32_t)(1 + (channels - 1) / each);
}

/* ---- the panel ---- */

/* Where a tile lies, and what it takes of the working memory. */
typedef struct spot {
    uint32_t group, first, last; /* rows of the layer */
    size_t x, y, rows;
    float *panel; /* [channels][kernel width][fold][remainders of rows][lines][pitch] */
    float *widened, *rows_widened, *sums;
} spot;

static size_t panel_count(const rt_tiling *t) {
    return t->channels * t->channel;
}

/* Weights that a row has of a part. */
static size_t width_of_parts(const rt_tiling *t) {
    return (size_t)t->channels * block_of(t);
}

static size_t widened_count(const rt_tiling *t, const rt_layer *layer) {
    const size_t floats = RT_BAND_ROWS * width_of_parts(t);
    const size_t lanes = t->kernels->lanes;
    return layer->form != RT_LIST ? (floats + lanes - 1) / lanes * lanes : 0;
}

/* Rows of the padded input that so many of a tile's read, with those that fill its lines. */
static uint64_t padded_rows(const rt_tiling *t, size_t rows) {
    return (filled_rows(t, rows) - 1) * (uint64_t)t->window->stride[0] + reach_of(t->window, 0) + 1;
}

/* Rows of the input that a tile reads, at most. */
static uint64_t rows_read(const rt_tiling *t) {
    return smaller(padded_rows(t, t->rows), t->in[0]);
}

/* Of codes: channels whose rows become floats at a time. */
static uint64_t channels_widened(const rt_tiling *t) {
    const uint64_t most = WIDENED_BYTES / sizeof(float) / (rows_read(t) * t->in[1]);
    return smaller(most == 0 ? 1 : most, t->channels);
}

static size_t rows_count(const rt_tiling *t, const rt_numbers *in) {
    const uint64_t floats = channels_widened(t) * rows_read(t) * t->in[1];
    return in->coded ? (size_t)divide_up(floats, t->kernels->lanes) * t->kernels->lanes : 0;
}

/* Whether the sums of a row are finished in their place first. */
static bool finishes_in_sums(const rt_tiling *t, const rt_layer *layer) {
    return layer->coded || t->pools;
}

uint64_t rt_tiling_memory(const rt_tiling *t, const rt_layer *layer, const rt_numbers *in,
                          uint32_t rows) {
    const uint64_t finished = finishes_in_sums(t, layer) ? smaller(rows, FINISHED_ROWS) : 0;
    const uint64_t kept = layer->parts > 1 ? rows : finished;
    const uint64_t sums = kept * lines_of(t, t->rows) * pitch_of(t);
    return panel_count(t) + widened_count(t, layer) + rows_count(t, in) + sums;
}

/* Lines [first, last) of those that are a stride apart, from row `begin` of the padded input on,
 * lie on the input. */
static void rows_inside(const rt_tiling *t, size_t begin, size_t lines, size_t *first,
                        size_t *last) {
    const size_t stride = t->window->stride[0];
    const size_t pad = t->window->pad[0];
    const size_t end = pad + t->in[0];
    *first = begin < pad ? (pad - begin + stride - 1) / stride : 0;
    *last = begin < end ? (end - begin + stride - 1) / stride : 0;
    *last = *last < lines ? *last : lines;
    *first = *first < *last ? *first : *last;
}

/* What a tile's panel is filled from: the floats of rows [first, last) of planes. */
typedef struct source {
    const float *in;
    size_t first, plane; /* plane: from a channel's to the next's */
} source;

/* The rows of one remainder, of so many channels, for every column of the kernel. */
static void fill_lines(const rt_planes *p, const spot *at, size_t remainder, const source *from,
                       uint32_t channels, float *panel) {
    const rt_tiling *t = p->tiling;
    const rt_window *w = t->window;
    const size_t begin = at->y * w->stride[0] + remainder;
    const size_t lines =
        filled_rows(t, at->rows) + (size_t)((reach_of(w, 0) - remainder) / w->stride[0]);
    size_t first;
    size_t last;
    rows_inside(t, begin, lines, &first, &last);
    const size_t row = first < last ? begin + first * w->stride[0] - w->pad[0] - from->first : 0;
    rt_lines l = {from->in + row * t->in[1],
                  from->plane,
                  channels,
                  w->stride[0] * t->in[1],
                  first,
                  last,
                  lines,
                  t->in[1],
                  w->stride[1],
                  0,
                  t->vectors,
                  panel + remainder * t->lines * pitch_of(t),
                  t->channel,
                  remainders_of(w) * t->lines * pitch_of(t)};
    for (uint32_t k = 0; k < w->kernel[1]; k++, l.to += t->copy) {
        l.column =
            (int32_t)(at->x * w->stride[1] + (size_t)k * w->dilation[1]) - (int32_t)w->pad[1];
        (t->fold == 1 ? t->kernels->lines : t->kernels->folded_lines)(&l);
    }
}

static void fill_channels(const rt_planes *p, const spot *at, const source *from, uint32_t channels,
                          float *panel) {
    for (size_t r = 0; r < remainders_of(p->tiling->window); r++)
        fill_lines(p, at, r, from, channels, panel);
}

/* By way of floats, some channels at a time. */
static void fill_of_codes(const rt_planes *p, const spot *at, const uint8_t *in,
                          uint32_t channels) {
    const rt_tiling *t = p->tiling;
    const rt_window *w = t->window;
    const size_t most = (size_t)channels_widened(t);
    const size_t begin = at->y * w->stride[0];
    const size_t end = begin + (size_t)padded_rows(t, at->rows);
    const size_t first = begin < w->pad[0] ? 0 : (size_t)smaller(begin - w->pad[0], t->in[0]);
    const size_t last = end < w->pad[0] ? 0 : (size_t)smaller(end - w->pad[0], t->in[0]);
    const source from = {at->rows_widened, first, (last - first) * t->in[1]};
    for (size_t c = 0; c < channels; c += most) {
        const size_t count = (size_t)smaller(channels - c, most);
        for (size_t k = 0; k < count; k++)
            rt_widen(in + ((c + k) * t->in[0] + first) * t->in[1], from.plane, p->numbers->zero,
                     at->rows_widened + k * from.plane);
        fill_channels(p, at, &from, (uint32_t)count, at->panel + c * t->channel);
    }
}

/* first: of the group's channels. */
static void fill_panel(const rt_planes *p, const spot *at, uint32_t first, uint32_t channels) {
    const size_t plane = (size_t)p->tiling->in[0] * p->tiling->in[1];
    const size_t start = ((size_t)at->group * p->channels + first) * plane;
    if (p->numbers->coded) {
        fill_of_codes(p, at, (const uint8_t *)p->in + start, channels);
        return;
    }
    const source from = {(const float *)p->in + start, 0, plane};
    fill_channels(p, at, &from, channels, at->panel);
}

/* ---- running ---- */

/* Each row's vectors follow each other there. */
static void finish_in_sums(const rt_planes *p, rt_tile *tile) {
    const size_t lanes = p->tiling->kernels->lanes;
    tile->plane = tile->vectors * lanes;
    for (size_t v = 0; v < tile->vectors; v++) {
        tile->at[v] = v * lanes;
        tile->count[v] = lanes;
        tile->second_count[v] = 0;
    }
}

static size_t columns_of(const rt_tiling *t, const spot *at) {
    return (size_t)smaller(t->out[1] - at->x, t->columns);
}

/* Where row `row` of the layer has the spot in its plane, of codes or floats. */
static size_t place_of(const rt_tiling *t, const spot *at, size_t row, size_t shrink) {
    const size_t width = t->out[1] / shrink;
    return row * (t->out[0] / shrink) * width + at->y / shrink * width + at->x / shrink;
}

static void put_codes(const rt_planes *p, const spot *at, const rt_tile *tile) {
    const rt_tiling *t = p->tiling;
    const size_t plane = (size_t)t->out[0] * t->out[1];
    uint8_t codes[RT_TILE_VECTORS_MOST * RT_LANES_MOST];
    uint8_t *out = (uint8_t *)p->out + place_of(t, at, tile->first, 1);
    for (uint32_t r = 0; r < tile->last - tile->first; r++, out += plane) {
        t->kernels->cut(tile->out + r * tile->plane, tile->plane, codes);
        for (size_t y = 0; y < at->rows; y++)
            memcpy(out + y * t->out[1],
                   codes + y / t->fold * pitch_of(t) + y % t->fold * lanes_of_row(t),
                   columns_of(t, at));
    }
}

/* The windows of a tile's finished rows, which go into planes of such a width. */
static rt_pairs windows_of(const rt_tiling *t, const spot *at, const rt_tile *tile, size_t plane,
                           size_t width, float *to) {
    const size_t pitch = pitch_of(t);
    const rt_pairs windows = {tile->out,
                              tile->last - tile->first,
                              tile->plane,
                              at->rows / 2,
                              t->fold == 2 ? pitch : 2 * pitch,
                              t->fold == 2 ? lanes_of_row(t) : pitch,
                              columns_of(t, at),
                              to,
                              plane,
                              width};
    return windows;
}

static void put_pooled(const rt_planes *p, const spot *at, const rt_tile *tile) {
    const rt_tiling *t = p->tiling;
    const size_t width = t->out[1] / 2;
    const rt_pairs windows = windows_of(t, at, tile, t->out[0] / 2 * width, width,
                                        (float *)p->out + place_of(t, at, tile->first, 2));
    t->kernels->pool2(&windows);
}

static void put_pooled_codes(const rt_planes *p, const spot *at, const rt_tile *tile) {
    const rt_tiling *t = p->tiling;
    const size_t columns = columns_of(t, at) / 2;
    const size_t plane = (size_t)(t->out[0] / 2) * (t->out[1] / 2);
    float pooled[RT_TILE_VECTORS_MOST * RT_LANES_MOST / 4];
    uint8_t codes[RT_TILE_VECTORS_MOST * RT_LANES_MOST / 4];
    uint8_t *out = (uint8_t *)p->out + place_of(t, at, tile->first, 2);
    rt_pairs windows = windows_of(t, at, tile, 0, columns, pooled);
    windows.planes = 1;
    for (uint32_t r = 0; r < tile->last - tile->first; r++, out += plane) {
        windows.from = tile->out + r * tile->plane;
        t->kernels->pool2(&windows);
        t->kernels->cut(pooled, at->rows / 2 * columns, codes);
        for (size_t y = 0; y < at->rows / 2; y++)
            memcpy(out + y * (t->out[1] / 2), codes + y * columns, columns);
    }
}

static void put_finished(const rt_planes *p, const spot *at, const rt_tile *tile) {
    if (!p->tiling->pools)
        put_codes(p, at, tile);
    else if (p->layer->coded)
        put_pooled_codes(p, at, tile);
    else
        put_pooled(p, at, tile);
}

/* The last part. */
static void run_finished(const rt_planes *p, const spot *at, rt_tile *tile) {
    const size_t apart = p->layer->parts > 1 ? tile->plane : 0;
    for (uint32_t r = at->first; r < at->last; r += FINISHED_ROWS) {
        tile->first = r;
        tile->last = (uint32_t)smaller((uint64_t)r + FINISHED_ROWS, at->last);
        tile->sums = tile->out = at->sums + (r - at->first) * apart;
        p->tiling->kernels->tile(tile);
        put_finished(p, at, tile);
    }
}

static void run_part(const rt_planes *p, const spot *at, uint32_t part, rt_tile *tile) {
    const rt_tiling *t = p->tiling;
    const uint32_t first = part * t->channels;
    tile->part = part;
    const uint32_t channels = (uint32_t)smaller(t->channels, p->channels - first);
    tile->weights = (size_t)first * block_of(t) * p->layer->rows;
    tile->width = (size_t)channels * block_of(t);
    fill_panel(p, at, first, channels);
    if (finishes_in_sums(t, p->layer) && part + 1 == p->layer->parts)
        run_finished(p, at, tile);
    else
        t->kernels->tile(tile);
}

static void put_whole_rows(const rt_tiling *t, size_t columns, rt_tile *tile) {
    const size_t lanes = t->kernels->lanes;
    for (size_t v = 0; v < tile->vectors; v++) {
        const size_t x = v % t->vectors * lanes;
        tile->at[v] = v / t->vectors * t->out[1] + x;
        tile->count[v] = x < columns ? (size_t)smaller(columns - x, lanes) : 0;
    }
}

/* Two rows to a vector, which are stored at once where they follow each other. */
static void put_folded_rows(const rt_tiling *t, size_t columns, size_t rows, rt_tile *tile) {
    const bool follow = columns == lanes_of_row(t) && columns == t->out[1];
    for (size_t v = 0; v < tile->vectors; v++) {
        const bool two = 2 * v + 1 < rows;
        tile->at[v] = 2 * v * t->out[1];
        tile->second_at[v] = tile->at[v] + t->out[1];
        tile->count[v] = two && follow ? 2 * columns : columns;
        tile->second_count[v] = two && !follow ? columns : 0;
    }
}

static void run_tile(const rt_planes *p, const spot *at) {
    const rt_tiling *t = p->tiling;
    const bool in_sums = finishes_in_sums(t, p->layer);
    const size_t columns = columns_of(t, at);
    const size_t plane = (size_t)t->out[0] * t->out[1];
    rt_tile tile = {p->layer,
                    at->first,
                    at->last,
                    0,
                    0,
                    0,
                    at->widened,
                    at->panel,
                    t->vectors * lines_of(t, at->rows),
                    at->sums,
                    in_sums ? NULL : (float *)p->out + place_of(t, at, at->first, 1),
                    plane,
                    {0},
                    {0},
                    {0},
                    {0}};
    if (t->fold == 1)
        put_whole_rows(t, columns, &tile);
    else
        put_folded_rows(t, columns, at->rows, &tile);
    if (in_sums)
        finish_in_sums(p, &tile);
    for (uint32_t part = 0; part < p->layer->parts; part++)
        run_part(p, at, part, &tile);
}

/* Of a group. */
static uint32_t rows_of(const rt_planes *p) {
    return p->layer->rows / p->groups;
}

/* Threads share tiles; where those do not come out even, rows too, in as few slices as do. Each
 * slice fills a panel of its own. */
static uint32_t slices_of(const rt_planes *p, unsigned threads) {
    const uint64_t tiles = (uint64_t)p->tiling->tiles * p->tiling->strips * p->groups;
    const uint64_t most = divide_up(rows_of(p), RT_BAND_ROWS);
    for (uint32_t slices = 1; slices < smaller(most, SLICES_MOST); slices++) {
        const uint64_t units = tiles * slices;
        if (divide_up(units, threads) * threads * 7 <= units * 8)
            return slices;
    }
    return (uint32_t)smaller(most, threads == 1 ? 1 : SLICES_MOST);
}

typedef struct sharing {
    const rt_planes *planes;
    uint32_t slices;
    size_t memory; /* floats of a thread */
} sharing;

/* The row of outputs at which a tile begins: of 64 bits on the way, which tall planes need. */
static size_t tile_start(const rt_tiling *t, size_t i) {
    return (size_t)((uint64_t)i * (t->out[0] / t->unit) / t->tiles) * t->unit;
}

/* In its group. */
static uint32_t slice_start(const rt_planes *p, size_t slice, uint32_t slices) {
    const size_t fours = (size_t)divide_up(rows_of(p), RT_BAND_ROWS);
    return (uint32_t)smaller(slice * fours / slices * RT_BAND_ROWS, rows_of(p));
}

/* A slice of a group's rows of a tile. */
static void run_unit(void *argument, unsigned thread, size_t unit) {
    const sharing *share = argument;
    const rt_planes *p = share->planes;
    const rt_tiling *t = p->tiling;
    const size_t slice = unit % share->slices;
    const size_t strip = unit / share->slices % t->strips;
    const size_t i = unit / share->slices / t->strips % t->tiles;
    const uint32_t group = (uint32_t)(unit / share->slices / t->strips / t->tiles);
    const uint32_t row = group * rows_of(p);
    spot at = {group,
               row + slice_start(p, slice, share->slices),
               row + slice_start(p, slice + 1, share->slices),
               strip * t->columns,
               tile_start(t, i),
               0,
               p->memory + thread * share->memory,
               NULL,
               NULL,
               NULL};
    at.rows = tile_start(t, i + 1) - at.y;
    at.widened = at.panel + panel_count(t);
    at.rows_widened = at.widened + widened_count(t, p->layer);
    at.sums = at.rows_widened + rows_count(t, p->numbers);
    run_tile(p, &at);
}

/* That are multiplied. */
static uint64_t weights_of(const rt_layer *layer) {
    switch (layer->form) {
    case RT_LIST:
        return layer->kept;
    case RT_BANDS:
        return (uint64_t)layer->kept * RT_BAND_ROWS;
    default:
        return (uint64_t)layer->rows * layer->columns;
    }
}

/* Roughly, in vectors of multiply-adds. */
static bool pays_threads(const rt_planes *p) {
    const rt_tiling *t = p->tiling;
    return weights_of(p->layer) * t->tiles * t->strips * lines_of(t, t->rows) * t->vectors >=
           SHARED_LEAST;
}

void rt_planes_run(const rt_planes *p, rt_crew *crew, unsigned threads) {
    const bool shared = threads > 1 && pays_threads(p);
    sharing share = {p, shared ? slices_of(p, threads) : 1,
                     (size_t)rt_tiling_memory(p->tiling, p->layer, p->numbers, rows_of(p))};
    rt_crew_run(shared ? crew : NULL, run_unit, &share,
                (size_t)p->groups * p->tiling->tiles * p->tiling->strips * share.slices);
}
