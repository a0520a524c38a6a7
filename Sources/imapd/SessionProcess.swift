// The session process of IMAP: what its sessions share.

import Configuration
import Connection
import Daemon
import Kernel
import Login
import MailModel
import Mailbox
import Spool

extension SessionProcess {
    static func run(_ context: DaemonContext, _ arguments: [String]) -> Never {
        let process = SessionProcess(context, arguments, .imapd)
        let configuration = context.configuration
        let store = MailStore(
            path: configuration.paths.store,
            context: StoreContext(host: configuration.hostname.bytes, bootID: StoreContext.currentBootID()))
        let watch: MailboxWatch
        do throws(KernelError) { watch = try MailboxWatch() } catch {
            fail("imapd", "\(error)", remedy: "raise fs.inotify.max_user_instances", .temporary)
        }
        process.confine()
        watch.start()
        let cleaning = Cleaning(context.live, store.context, protocolName: "imap", process.journal)
        // Many appends that wait for the disk at the same time share its syncs.
        let workers = WorkerPool(threads: 8)
        let shared = SharedParts(
            journal: process.journal, workers: workers, store: store, watch: watch,
            flagSync: FlagSync(journal: process.journal), cleaning: cleaning, idleTimeout: configuration.limits.imapIdleTimeout,
            maximumMessageSize: Int(clamping: configuration.limits.messageSize.bytes))
        shared.flagSync.start()
        let live = context.live
        process.serve(last: { shared.flagSync.stop() }) { MailboxDriver(shared.renewed(live.current), $0) }
    }
}
