/* The numbers of a matrix as the C code holds them: those that are not 0, each with the number of
 * zeros before it in Rice's code (Rice and Plaunt 1971), and its level or, of floats, a place in
 * a list. `numbers` in parts/layers.c.in tells the bits. */
#ifndef EXPORT_STREAM_H
#define EXPORT_STREAM_H

#include "pack/bits.h"
#include "pack/pack.h"

/* Of gap_bits: each place has a number, and no gap is told. */
#define EXPORT_EVERY_PLACE 255U

typedef struct export_stream {
    bits_writer bits;
    float *floats; /* [count]; NULL: on levels */
    uint32_t count;
    unsigned gap_bits, magnitude_bits;
    bool doubles; /* levels are powers of two */
    float step;
} export_stream;

/* Of rows x columns numbers, by row; turned: the tensor has them by column. *stream is the
 * caller's, freed with export_stream_free, of a failure too. */
admmnn_status export_stream_make(const pack_tensor *tensor, uint32_t rows, uint32_t columns,
                                 bool turned, export_stream *stream, admmnn_error *err);
void export_stream_free(export_stream *stream);

#endif
