# `include blackbar.mk` as the first line of a Makefile: the goals are made by a second make under
# blackbar. Inside a run, where BLACKBAR_SOCKET is set, it does nothing.
ifndef BLACKBAR_SOCKET
BLACKBAR_GOALS := $(or $(MAKECMDGOALS),all)
.PHONY: $(BLACKBAR_GOALS) blackbar-run
$(BLACKBAR_GOALS): blackbar-run ; @:
blackbar-run: ; +@blackbar run -- $(MAKE) --no-print-directory $(MAKECMDGOALS)
else
