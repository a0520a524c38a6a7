// mailctl: the administrator's tool, and `mailctl run`, the supervisor where there is no systemd.
//
// Runs as     who calls it; root for a system installation, anyone for a tree of their own
// Reads       everything below the root
// Writes      the configuration once, the directory database, spool/mailctl, spool/supervisor; folders and owners at init; drops and exported mail at `queue`
// Talks to    the daemons by requests in its own log; `run` by signals to its children; `doctor` to DNS and to our own listeners
// Never       connects elsewhere, or at all but in `doctor`; opens a mailbox for writing but that of `doctor`'s throw-away account
// Trusts      the configuration file; from the spool only what a folder's owner may say
// If captured it is what root may do: nothing listens here, so only local input can reach it
// Standards   sysexits(3), LISTEN_FDS (sd_listen_fds(3))

import ArgumentParser
import Kernel

@main
enum Main {
    static func main() {
        // An administrator's shell may have one that keeps the services from what is made for them.
        Identity.setAdministratorsFileModeMask()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try Mailctl.parseAsRoot(arguments)
            try command.run()
        } catch let failure as Failure {
            Output.complain(failure, json: arguments.contains("--json"))
            Identity.exit(failure.status.rawValue)
        } catch {
            endOfParsing(error, json: arguments.contains("--json"))
        }
    }

    /// Help and versions go to stdout with status 0, wrong usage to stderr with 64.
    private static func endOfParsing(_ error: any Error, json: Bool) -> Never {
        if json, Mailctl.exitCode(for: error) != .success {
            let usage = Failure(.usage, Mailctl.message(for: error), remedy: "see `mailctl help`")
            Output.complain(usage, json: true)
            Identity.exit(ExitStatus.usage.rawValue)
        }
        Mailctl.exit(withError: error)
    }
}
