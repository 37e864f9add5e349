# The offsite repository as restic knows it; read by files.sh.
# By the ssh that restic starts; what that may do is in offsite-ssh_config. The second slash makes it a path from the root.
export RESTIC_REPOSITORY='sftp://backup@nas.pair.example:22//pair/files'
