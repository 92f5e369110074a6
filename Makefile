# Each target is the script of its name, for machines without make.

.PHONY: help install run test check bench guards docs

help:
	@printf '%s\n' \
	  'make run       start everything on this machine; Ctrl-C stops it' \
	  'make test      run every test' \
	  'make check     format, lint, types, imports, menus, generated pages' \
	  'make bench     measure conversations, others beside them, menus, exports, texts' \
	  'make guards    take each guard of texts out, and want its test to fail' \
	  'make docs      write the generated pages of docs/ anew' \
	  'make install   make .venv and install the locked requirements'

install:
	@sh scripts/install

run:
	@sh scripts/run

test:
	@sh scripts/test

check:
	@sh scripts/check

bench:
	@sh scripts/bench

guards:
	@sh scripts/guards

docs:
	@sh scripts/docs
