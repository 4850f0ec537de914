//! Builds the parts that the settings name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::backlog::Backlog;
use crate::aws::cloudfront::Distribution;
use crate::aws::imds::Imds;
use crate::aws::{self, Aws, Environment};
use crate::queue::directory::DirectoryQueue;
use crate::queue::letters::DeadLetters;
use crate::queue::sqs::{self, SqsQueue};
use crate::queue::{self, Depth, Queue};
use crate::settings::{QueueAddress, Settings, StoreAddress};
use crate::store::Store;
use crate::store::directory::DirectoryStore;
use crate::store::s3::S3Store;

/// Store and queue, and the account that they are in.
pub struct Parts {
    /// Where objects are kept.
    pub store: AnyStore,
    /// Where jobs wait.
    pub queue: Arc<dyn Queue>,
    /// What a CDN that is to forget deleted objects is asked by.
    pub distribution: Option<Distribution>,
    /// AWS, where one of these is there.
    aws: Option<Aws>,
}

impl Parts {
    /// The parts that the settings name.
    ///
    /// # Errors
    /// Why one can't be used, and what to do about it.
    pub fn open(settings: &Settings) -> Result<Parts, String> {
        let mut aws = None;
        let store = open_store(settings, &mut aws)?;
        let queue = open_queue(settings, &mut aws)?;
        let distribution = match &settings.cdn_distribution {
            Some(id) => Some(found(&mut aws)?.distribution(id).map_err(|e| e.to_string())?),
            None => None,
        };
        Ok(Parts { store, queue, distribution, aws })
    }

    /// Who tells CloudWatch of the backlog, if the settings say so.
    ///
    /// # Errors
    /// When an endpoint is no URL.
    pub fn backlog(&self, settings: &Settings) -> Result<Option<Backlog>, String> {
        let (Some(aws), Some(namespace)) = (&self.aws, &settings.metric_namespace) else { return Ok(None) };
        let group = settings.metric_group.clone();
        let open = || -> Result<Backlog, aws::Error> {
            let workers = match group {
                Some(group) => Some((aws.autoscaling()?, group)),
                None => None,
            };
            Ok(Backlog::new(Arc::clone(&self.queue), aws.cloudwatch()?, namespace.clone(), workers))
        };
        open().map(Some).map_err(|error| error.to_string())
    }

    /// The EC2 machine's metadata, where the parts are on AWS.
    pub fn imds(&self) -> Option<Arc<Imds>> {
        self.aws.as_ref().and_then(Aws::imds)
    }
}

/// AWS, found once.
fn found(aws: &mut Option<Aws>) -> Result<&Aws, String> {
    Ok(match aws.take() {
        Some(found) => aws.insert(found),
        None => aws.insert(Aws::new(Environment::of_process()).map_err(|e| e.to_string())?),
    })
}

fn open_store(settings: &Settings, aws: &mut Option<Aws>) -> Result<AnyStore, String> {
    match &settings.store {
        StoreAddress::Directory(path) => {
            let store = DirectoryStore::open(path).map_err(|e| e.to_string())?;
            Ok(AnyStore::Directory(Arc::new(store)))
        }
        StoreAddress::S3(address) => {
            let store = S3Store::open(found(aws)?, address.clone()).map_err(|e| e.to_string())?;
            Ok(AnyStore::S3(Arc::new(store)))
        }
    }
}

/// The store, by kind: a directory store is served by the server itself.
pub enum AnyStore {
    /// A folder.
    Directory(Arc<DirectoryStore>),
    /// A bucket.
    S3(Arc<S3Store>),
}

impl AnyStore {
    /// The store where it is a folder, whose objects the server serves itself.
    pub fn files(&self) -> Option<Arc<DirectoryStore>> {
        match self {
            AnyStore::Directory(store) => Some(Arc::clone(store)),
            AnyStore::S3(_) => None,
        }
    }

    /// What object URLs start with, if the server does not serve the objects itself; `setting` is
    /// what the operator says that stands in front of the store.
    pub fn public_url(&self, setting: Option<&str>) -> Option<String> {
        match self {
            AnyStore::Directory(_) => setting.map(str::to_owned),
            AnyStore::S3(store) => Some(store.public_url(setting)),
        }
    }

    /// What the store's keys begin with where a bucket's events name them.
    pub fn key_prefix(&self) -> String {
        match self {
            AnyStore::Directory(_) => String::new(),
            AnyStore::S3(store) => store.key_prefix(),
        }
    }

    /// The store, whatever kind it is.
    pub fn any(&self) -> Arc<dyn Store> {
        match self {
            AnyStore::Directory(store) => Arc::clone(store) as Arc<dyn Store>,
            AnyStore::S3(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }
}

fn open_queue(settings: &Settings, aws: &mut Option<Aws>) -> Result<Arc<dyn Queue>, String> {
    match &settings.queue {
        QueueAddress::Directory(path) => Ok(Arc::new(open_folder(path, settings)?)),
        QueueAddress::Sqs(address) => Ok(Arc::new(open_sqs(address, aws)?)),
    }
}

fn open_folder(path: &Path, settings: &Settings) -> Result<DirectoryQueue, String> {
    let config = queue::directory::Config { max_receives: settings.max_receives, ..Default::default() };
    DirectoryQueue::open(path, config).map_err(|e| e.to_string())
}

fn open_sqs(address: &sqs::Address, aws: &mut Option<Aws>) -> Result<SqsQueue, String> {
    SqsQueue::open(found(aws)?, address.clone()).map_err(|e| e.to_string())
}

/// The queue alone, for an operator.
///
/// # Errors
/// Why it can't be used, and what to do about it: a folder that is no queue is not made one.
pub fn queue_to_operate(settings: &Settings) -> Result<Box<dyn DeadLetters>, String> {
    match &settings.queue {
        QueueAddress::Directory(path) if !path.join("messages").is_dir() => Err(format!(
            "there is no queue in {}: run this where image-sharer runs, or set SHARER_DATA or SHARER_QUEUE",
            path.display()
        )),
        QueueAddress::Directory(path) => Ok(Box::new(open_folder(path, settings)?)),
        QueueAddress::Sqs(address) => Ok(Box::new(open_sqs(address, &mut None)?)),
    }
}

/// How long one receive waits for a message: on SQS each receive is paid for, and a longer wait costs
/// nothing.
pub fn receive_wait(settings: &Settings) -> Duration {
    match settings.queue {
        QueueAddress::Directory(_) => Duration::from_secs(1),
        QueueAddress::Sqs(_) => aws::sqs::LONGEST_WAIT,
    }
}

/// Reaches store and queue and says what was found: `--check`.
///
/// # Errors
/// What can't be used, and what to do about it.
pub fn check(settings: &Settings) -> Result<(), String> {
    let parts = Parts::open(settings)?;
    let backlog = parts.backlog(settings)?;
    let (store, queue) = (parts.store.any(), parts.queue);
    if let Some(aws) = &parts.aws {
        let access_key = aws.access_key().map_err(|e| e.to_string())?;
        println!("aws:      region {}, access key {access_key}", aws.region());
    }
    println!("settings: all well");
    let mut wrong = Vec::new();
    match store.check() {
        Ok(()) => println!("store:    {}: can be written and read", store.describe()),
        Err(error) => wrong.push(format!("store {}: {error}", store.describe())),
    }
    match queue.check().and_then(|()| queue.depth()) {
        Ok(Depth { waiting, in_flight, dead, .. }) => {
            let name = queue.describe();
            println!("queue:    {name}: {waiting} waiting, {in_flight} in flight, {dead} dead letters");
        }
        Err(error) => wrong.push(format!("queue {}: {error}", queue.describe())),
    }
    match backlog.map(|backlog| backlog.tell_once()) {
        None => {}
        Some(Ok(told)) => println!("metrics:  {told}"),
        Some(Err(error)) => wrong.push(error),
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
