// sendmail: the classic local submission command. Leaves one file in spool/drop/ for queued to adopt.
//
// Runs as     whoever calls it; no privilege, no set-uid, no set-gid
// Reads       stdin; etc/martlet.toml (-C FILE names another)
// Writes      one new file in spool/drop/ (folder 1733: nobody lists it, nobody touches another's file)
// Talks to    nobody
// Never       opens the queue, the directory or a mailbox; claims to be somebody else (the file's owner is the sender)
// Trusts      nothing it is given; an address that is none is refused with EX_NOUSER or EX_USAGE
// If captured it is the caller's own process
// Standards   RFC 5322 §3.6 (recipients of -t); LSB sendmail options

import Kernel

@main
enum Main {
    static func main() { Identity.exit(Submission.run(CommandLine.arguments)) }
}
