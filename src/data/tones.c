#include "data/data.h"

data_tones data_tones_of(float mean, float scale) {
    data_tones tones;
    for (size_t c = 0; c < DATA_TONES; c++) {
        tones.mean[c] = mean;
        tones.scale[c] = scale;
    }
    return tones;
}

bool data_tones_same(const data_tones *a, const data_tones *b) {
    for (size_t c = 0; c < DATA_TONES; c++)
        if (a->mean[c] != b->mean[c] || a->scale[c] != b->scale[c])
            return false;
    return true;
}

bool data_tones_are_one(const data_tones *tones) {
    const data_tones first = data_tones_of(tones->mean[0], tones->scale[0]);
    return data_tones_same(tones, &first);
}
