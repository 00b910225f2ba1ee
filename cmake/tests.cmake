# tests/engine/FOLDER/NAME_test.c is one cmocka program, linked with library dts_FOLDER; NAME_fuzz.c
# and NAME_bench.c beside it are built on demand (see ./dev).
enable_testing()
file(GLOB test_files CONFIGURE_DEPENDS tests/engine/*/*_test.c)
foreach(file IN LISTS test_files)
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(folder ${folder} NAME)
  add_executable(test-${folder}-${name} ${file})
  target_link_libraries(test-${folder}-${name} PRIVATE dts_${folder} PkgConfig::PKG_cmocka)
  target_include_directories(test-${folder}-${name} PRIVATE tests/engine)
  target_compile_definitions(test-${folder}-${name} PRIVATE
    TEST_DATA="${CMAKE_SOURCE_DIR}/../shared/data" TEST_SOURCE="${CMAKE_SOURCE_DIR}")
  set_target_properties(test-${folder}-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${folder}/${name} COMMAND test-${folder}-${name})
endforeach()
