//! ttrpc services of mocks: a method is a function from one message to another.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};
use clients::task::{CreateTask, Deleted, Pid, Process, Waited};
use prost::Message;
use ttrpc::{Code, Error, MethodHandler, Request, Response, Server, TtrpcContext, get_status};

use crate::containers::{Containers, Output};

type Methods = HashMap<String, Box<dyn MethodHandler + Send + Sync>>;

/// Where a mock that called its host hands the connection to its own server.
const SOCKET: &str = "/run/mock";

/// Services by their methods.
#[derive(Default)]
pub struct Services(Methods);

struct Unary<Q, A>(Box<dyn Fn(Q) -> Result<A> + Send + Sync>);

impl<Q: Message + Default, A: Message> MethodHandler for Unary<Q, A> {
    fn handler(&self, context: TtrpcContext, request: Request) -> ttrpc::Result<()> {
        let answer =
            Q::decode(request.payload.as_slice()).map_err(anyhow::Error::from).and_then(|message| (self.0)(message));
        let response = match answer {
            Ok(answer) => {
                let mut response = Response { payload: answer.encode_to_vec(), ..Default::default() };
                response.set_status(get_status(Code::OK, ""));
                response
            }
            Err(error) => Error::RpcStatus(get_status(Code::UNKNOWN, format!("{error:#}"))).into(),
        };
        context.respond(context.mh.stream_id, response)
    }
}

impl Services {
    pub fn add<Q: Message + Default + 'static, A: Message + 'static>(
        &mut self,
        service: &str,
        method: &str,
        answer: impl Fn(Q) -> Result<A> + Send + Sync + 'static,
    ) {
        self.0.insert(format!("/{service}/{method}"), Box::new(Unary(Box::new(answer))));
    }

    /// The four calls of the Task API that run a container. `prepare` readies the bundle.
    pub fn add_task(
        &mut self,
        service: &str,
        containers: &Arc<Containers>,
        prepare: impl Fn(&CreateTask) -> Result<()> + Send + Sync + 'static,
    ) {
        let all = Arc::clone(containers);
        self.add(service, "Create", move |create: CreateTask| {
            prepare(&create)?;
            all.create(&create.id, &create.bundle)?;
            Ok(Pid { pid: 0 })
        });
        let all = Arc::clone(containers);
        self.add(service, "Start", move |process: Process| {
            all.start(&process.id, Output::Console)?;
            Ok(Pid { pid: 0 })
        });
        let all = Arc::clone(containers);
        self.add(service, "Wait", move |process: Process| Ok(Waited { exit_status: all.wait(&process.id)? }));
        let all = Arc::clone(containers);
        self.add(service, "Delete", move |process: Process| {
            Ok(Deleted { pid: 0, exit_status: all.delete(&process.id)? })
        });
    }

    /// Serves whoever comes, while the server lives.
    pub fn listen(self, listener: impl IntoRawFd) -> Result<Server> {
        let server = Server::new().add_listener(listener.into_raw_fd()).map_err(|error| anyhow!("serve: {error}"))?;
        let mut server = server.register_service(self.0);
        server.start().map_err(|error| anyhow!("serve: {error}"))?;
        Ok(server)
    }

    /// Serves the one at the other end, up to the end of the connection.
    pub fn serve(self, stream: OwnedFd) -> Result<()> {
        let _server = self.listen(UnixListener::bind(SOCKET).with_context(|| format!("listen at {SOCKET}"))?)?;
        let mut own = UnixStream::connect(SOCKET).with_context(|| format!("connect to {SOCKET}"))?;
        let (mut from_host, mut to_host) =
            (File::from(stream.try_clone().context("a second descriptor")?), File::from(stream));
        let mut from_own = own.try_clone().context("a second descriptor")?;
        thread::spawn(move || io::copy(&mut from_own, &mut to_host));
        io::copy(&mut from_host, &mut own).context("read what the host says")?;
        fs::remove_file(SOCKET).context("remove the socket")
    }
}
