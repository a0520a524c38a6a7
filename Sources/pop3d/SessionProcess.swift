// The session process of POP3: what its sessions share.

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
        let process = SessionProcess(context, arguments, .pop3d)
        let configuration = context.configuration
        let store = MailStore(
            path: configuration.paths.store,
            context: StoreContext(host: configuration.hostname.bytes, bootID: StoreContext.currentBootID()))
        process.confine()
        let cleaning = Cleaning(context.live, store.context, protocolName: "pop3", process.journal)
        let shared = SharedParts(
            journal: process.journal, workers: WorkerPool(threads: 4), store: store, cleaning: cleaning,
            offer: Offer(configuration, hasCertificate: false, bindsLogins: false), idleTimeout: configuration.limits.pop3IdleTimeout)
        let live = context.live
        process.serve { MaildropDriver(shared.renewed(live.current), $0) }
    }
}
