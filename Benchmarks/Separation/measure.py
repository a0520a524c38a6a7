#!/usr/bin/env python3
"""Measures the shapes of ./separation. CPU: the sum of the servers' own scheduler time (ns, user + system), so that other
work on the machine counts little. Memory: PSS of the server processes by smaps_rollup; and the kernel's socket memory is not in it."""
import os, resource, select, socket, ssl, statistics, subprocess, sys, tempfile, threading, time

resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
BINARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '.build/release/separation')
work = tempfile.mkdtemp()
chain, key = work + '/chain.pem', work + '/key.pem'
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key,
                '-out', chain, '-days', '2', '-subj', '/CN=localhost'], check=True, stderr=subprocess.DEVNULL)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
port = [20000 + os.getpid() % 10000]

class Server:
    def __init__(self, shape, tls):
        port[0] += 1
        self.port, self.tls = port[0], tls
        self.process = subprocess.Popen([BINARY, shape, str(self.port)] + ([chain, key] if tls else []), stdout=subprocess.PIPE)
        self.pids = [self.process.pid]
        if shape == 'two': self.pids.append(int(self.process.stdout.readline().split()[1]))
        for _ in range(200):
            try: self.talk(); break
            except OSError: time.sleep(0.05)
    def connect(self):
        s = socket.create_connection(('127.0.0.1', self.port)); s.settimeout(60)
        return context.wrap_socket(s) if self.tls else s
    def login(self):
        s = self.connect()
        for line, reply in ((None, b'+OK ready\r\n'), (b'USER me\r\n', b'+OK\r\n'), (b'PASS secret\r\n', b'+OK logged in\r\n')):
            if line: s.sendall(line)
            got = b''
            while not got.endswith(b'\r\n'):
                piece = s.recv(200)
                if not piece: raise OSError('closed')
                got += piece
            if got != reply: raise RuntimeError(got)
        return s
    def talk(self):
        s = self.login()
        s.sendall(b'STAT\r\n'); s.recv(100)
        s.sendall(b'QUIT\r\n'); s.recv(100); s.close()
    def cpu(self):
        total = 0
        for pid in self.pids:
            for task in os.listdir('/proc/%d/task' % pid):
                total += int(open('/proc/%d/task/%s/schedstat' % (pid, task)).read().split()[0])
        return total
    def memory(self):
        total = 0
        for pid in self.pids:
            for line in open('/proc/%d/smaps_rollup' % pid):
                if line.startswith('Pss:'): total += int(line.split()[1]) * 1024
        return total
    def stop(self):
        for pid in reversed(self.pids):
            try: os.kill(pid, 9)
            except ProcessLookupError: pass
        self.process.wait(); time.sleep(0.1)

def logins(shape, tls, count):
    server = Server(shape, tls)
    for _ in range(200): server.talk()
    before = server.cpu()
    def run():
        for _ in range(count // 4): server.talk()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    time.sleep(0.2)
    used = (server.cpu() - before) / (count // 4 * 4) / 1000
    server.stop()
    return used

def idle(shape, tls, count):
    server = Server(shape, tls)
    for _ in range(50): server.talk()
    time.sleep(0.3)
    before = server.memory()
    held = [server.login() for _ in range(count)]
    time.sleep(1)
    used = (server.memory() - before) / count / 1024
    server.stop()
    for s in held: s.close()
    return used

def median(f, *args, runs=3):
    values = [f(*args) for _ in range(runs)]
    return statistics.median(values), values

what = sys.argv[1:] or ['cpu', 'memory', 'process']
if 'process' in what:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(100): subprocess.run([BINARY, 'idle'])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print('a process started and ended: %.0f us CPU' % ((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e4), flush=True)
for tls in (False, True):
    for shape in ('one', 'two'):
        name = '%s, %s' % (shape, 'TLS' if tls else 'clear')
        if 'cpu' in what: print('%s: %.0f us CPU a login %s' % ((name,) + (lambda m: (m[0], ['%.0f' % v for v in m[1]]))(median(logins, shape, tls, 4000 if not tls else 2000, runs=5))), flush=True)
        if 'memory' in what:
            for count in (1000, 5000):
                m, values = median(idle, shape, tls, count)
                print('%s: %.1f KiB PSS an idle session at %d %s' % (name, m, count, ['%.1f' % v for v in values]), flush=True)
