# SPDX-License-Identifier: LGPL-2.1-or-later
# The HTML report's page: its sources as arrays of C, in PAGE_C.
#
# uPlot draws the curves. It is fetched once, when the build is configured, and used only if it is the very file that
# was looked at. CURVES: AUTO = with it if it can be had; ON = without it there is no build; OFF = without it. Builds
# that only measure or check the program do not ask for it.
set(CURVES AUTO CACHE STRING "Curves in the HTML report, by uPlot from the npm registry: AUTO, ON or OFF")
set(UPLOT 1.6.32)
set(UPLOT_SHA512
  2883159c6ebccefbb95d751b0b82d010f9e1c0ec41b8bc96d401eda66e882935c89a46cb824332fa369b8cb8122cc6ac36e186cd09bf7a9ded3a4c93c6989023)

set(UPLOT_PARTS)
if(CURVES STREQUAL "ON" OR (CURVES STREQUAL "AUTO" AND NOT SANITIZE AND NOT COVERAGE AND NOT FUZZ))
  set(uplot_tgz ${CMAKE_BINARY_DIR}/uplot-${UPLOT}.tgz)
  set(uplot ${CMAKE_BINARY_DIR}/uplot-${UPLOT})
  if(NOT EXISTS ${uplot_tgz})
    # npm knows the registry and the proxy that its user has set up; without it, the public registry is asked.
    find_program(NPM npm)
    if(NPM)
      execute_process(COMMAND ${NPM} pack --silent uplot@${UPLOT} WORKING_DIRECTORY ${CMAKE_BINARY_DIR} TIMEOUT 20
        OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(NOT EXISTS ${uplot_tgz})
      file(DOWNLOAD https://registry.npmjs.org/uplot/-/uplot-${UPLOT}.tgz ${uplot_tgz}.part TIMEOUT 20 STATUS status)
      list(GET status 0 failed)
      if(NOT failed)
        file(RENAME ${uplot_tgz}.part ${uplot_tgz})
      endif()
    endif()
  endif()
  set(found "")
  if(EXISTS ${uplot_tgz})
    file(SHA512 ${uplot_tgz} found)
  endif()
  if(found STREQUAL UPLOT_SHA512)
    file(ARCHIVE_EXTRACT INPUT ${uplot_tgz} DESTINATION ${uplot})
    set(UPLOT_PARTS ${uplot}/package)
  elseif(CURVES STREQUAL "AUTO")
    message(STATUS "HTML report: without curves, because uPlot ${UPLOT} can't be had from the npm registry")
    file(REMOVE ${uplot_tgz})
  else()
    message(FATAL_ERROR "CURVES=ON: uPlot ${UPLOT} can't be had from the npm registry, or is another file")
  endif()
endif()

file(GLOB PAGE_PARTS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/page/web/*)
set(PAGE_C ${CMAKE_BINARY_DIR}/page.c)
add_custom_command(OUTPUT ${PAGE_C}
  COMMAND ${CMAKE_COMMAND} -DPARTS=${CMAKE_SOURCE_DIR}/tools/page/web -DUPLOT=${UPLOT_PARTS} -DOUT=${PAGE_C}
    -P ${CMAKE_SOURCE_DIR}/tools/page/embed.cmake
  DEPENDS ${PAGE_PARTS} ${CMAKE_SOURCE_DIR}/tools/page/embed.cmake
  VERBATIM)
