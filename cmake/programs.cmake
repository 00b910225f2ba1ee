# The two programs: dts (engine/command/main.c) and dts-worker (engine/script/worker.c).
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(EXISTS ${CMAKE_SOURCE_DIR}/engine/command/main.c)
  add_executable(dts engine/command/main.c)
  set_target_properties(dts PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # Whole: a subcommand is found in its section, no symbol asks for it (command.h).
  target_link_libraries(dts PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,dts_command> dts_web)
endif()
if(EXISTS ${CMAKE_SOURCE_DIR}/engine/script/worker.c)
  add_executable(dts-worker engine/script/worker.c)
  target_link_libraries(dts-worker PRIVATE dts_script dts_lua)
endif()
