/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of 2.2 has functions of these names, too, and a program can have both.
 *
 * What they share (mirrorsim/shared.h) has one name.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_SYMBOLS_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_SYMBOLS_H

#define aio_context_acquire qemu_modern_aio_context_acquire
#define aio_context_release qemu_modern_aio_context_release
#define bdrv_create_dirty_bitmap qemu_modern_create_dirty_bitmap
#define bdrv_get_aio_context qemu_modern_get_aio_context
#define bdrv_get_backing_filename qemu_modern_get_backing_filename
#define bdrv_get_device_name qemu_modern_get_device_name
#define bdrv_get_dirty_count qemu_modern_get_dirty_count
#define bdrv_get_info qemu_modern_get_info
#define bdrv_getlength qemu_modern_getlength
#define bdrv_is_allocated_above qemu_modern_is_allocated_above
#define bdrv_op_block_all qemu_modern_op_block_all
#define bdrv_op_unblock_all qemu_modern_op_unblock_all
#define bdrv_open_backing_file qemu_modern_open_backing_file
#define bdrv_ref qemu_modern_ref
#define bdrv_release_dirty_bitmap qemu_modern_release_dirty_bitmap
#define bdrv_round_to_clusters qemu_modern_round_to_clusters
#define bdrv_set_backing_hd qemu_modern_set_backing_hd
#define bdrv_unref qemu_modern_unref
#define block_job_create qemu_modern_job_create
#define block_job_error_action qemu_modern_job_error_action
#define qemu_coroutine_create qemu_modern_coroutine_create
#define qemu_coroutine_enter qemu_modern_coroutine_enter
#define qemu_coroutine_yield qemu_modern_coroutine_yield
#define qemu_try_blockalign qemu_modern_try_blockalign
#define qemu_vfree qemu_modern_vfree
#define ratelimit_calculate_delay qemu_modern_ratelimit_delay
#define ratelimit_set_speed qemu_modern_ratelimit_set_speed

#endif
