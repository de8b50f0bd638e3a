#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <string.h>

// One context for the three AES key lengths, so that it can lie in one piece of guarded memory;
// nettle's CBC takes its cipher by function pointer, which Swift can't cast. For PSKCKeys.swift.
typedef union {
    struct aes128_ctx aes128;
    struct aes192_ctx aes192;
    struct aes256_ctx aes256;
} st_aes_context;

// Each returns 0 for a key that isn't 16, 24 or 32 bytes.
static inline int st_aes_cbc_decrypt(void *_Nonnull memory, size_t key_length,
                                     const uint8_t *_Nonnull key, uint8_t *_Nonnull iv,
                                     size_t length, uint8_t *_Nonnull clear,
                                     const uint8_t *_Nonnull encrypted) {
    st_aes_context *context = (st_aes_context *)memory;
#define ST_CBC(n)                                                                                  \
    aes##n##_set_decrypt_key(&context->aes##n, key);                                               \
    cbc_decrypt(&context->aes##n, (nettle_cipher_func *)aes##n##_decrypt, AES_BLOCK_SIZE, iv,      \
                length, clear, encrypted);                                                         \
    return 1
    switch (key_length) {
    case 16: ST_CBC(128);
    case 24: ST_CBC(192);
    case 32: ST_CBC(256);
    default: return 0;
    }
#undef ST_CBC
}
static inline int st_aes_cbc_encrypt(void *_Nonnull memory, size_t key_length,
                                     const uint8_t *_Nonnull key, uint8_t *_Nonnull iv,
                                     size_t length, uint8_t *_Nonnull encrypted,
                                     const uint8_t *_Nonnull clear) {
    st_aes_context *context = (st_aes_context *)memory;
#define ST_CBC(n)                                                                                  \
    aes##n##_set_encrypt_key(&context->aes##n, key);                                               \
    cbc_encrypt(&context->aes##n, (nettle_cipher_func *)aes##n##_encrypt, AES_BLOCK_SIZE, iv,      \
                length, encrypted, clear);                                                         \
    return 1
    switch (key_length) {
    case 16: ST_CBC(128);
    case 24: ST_CBC(192);
    case 32: ST_CBC(256);
    default: return 0;
    }
#undef ST_CBC
}
// The cipher and the block that it works on, in the same piece of memory.
typedef struct {
    st_aes_context cipher;
    uint8_t block[AES_BLOCK_SIZE];
} st_unwrap_context;
// RFC 3394 §2.2.2, and RFC 5649 §4.2 for one block. nettle compares the integrity block with one
// that it is given, and RFC 5649's holds the length: `check` takes its 8 bytes. `clear` has 8 bytes
// fewer than what is unwrapped, a multiple of 8.
static inline int st_aes_key_unwrap(void *_Nonnull memory, size_t key_length,
                                    const uint8_t *_Nonnull key, size_t clear_length,
                                    uint8_t *_Nonnull clear, uint8_t *_Nonnull check,
                                    const uint8_t *_Nonnull encrypted) {
    st_unwrap_context *context = (st_unwrap_context *)memory;
    uint8_t *block = context->block;
    nettle_cipher_func *decrypt;
#define ST_UNWRAP(n)                                                                               \
    aes##n##_set_decrypt_key(&context->cipher.aes##n, key);                                        \
    decrypt = (nettle_cipher_func *)aes##n##_decrypt;                                              \
    break
    switch (key_length) {
    case 16: ST_UNWRAP(128);
    case 24: ST_UNWRAP(192);
    case 32: ST_UNWRAP(256);
    default: return 0;
    }
#undef ST_UNWRAP
    size_t count = clear_length / 8;
    memcpy(block, encrypted, 8);
    memcpy(clear, encrypted + 8, clear_length);
    if (count == 1) {
        memcpy(block + 8, clear, 8);
        decrypt(&context->cipher, AES_BLOCK_SIZE, block, block);
        memcpy(clear, block + 8, 8);
    } else {
        for (size_t step = 6 * count; step > 0; step--) {
            uint8_t *part = clear + 8 * ((step - 1) % count);
            for (int i = 0; i < 8; i++) block[i] ^= (uint8_t)((uint64_t)step >> (56 - 8 * i));
            memcpy(block + 8, part, 8);
            decrypt(&context->cipher, AES_BLOCK_SIZE, block, block);
            memcpy(part, block + 8, 8);
        }
    }
    memcpy(check, block, 8);
    return 1;
}
