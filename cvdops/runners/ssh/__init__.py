"""Jobs on another machine, through the OpenSSH client of this one."""
